package pkcs10

import "encoding/pem"

// BlockType is the only PEM type upstream takes a request in.
const BlockType = "CERTIFICATE REQUEST"

// Armor is the request as one plain PEM block.
func Armor(der []byte) string { return ArmorAs(BlockType, nil, der) }

// ArmorAs is a PEM block of any type and with any headers.
func ArmorAs(blockType string, headers map[string]string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: blockType, Headers: headers, Bytes: der}))
}
