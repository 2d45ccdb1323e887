// Corpus prints certificate signing requests for the differential test: JSON, one request a line.
//
//	name              of the object, unique; a few are odd but valid
//	request           spec.request as text (the API wants it in base64)
//	signerName, usages, expirationSeconds (null when absent), labels, annotations: as in the object
//	requester         who creates it, see below
//	action            what is done by hand once it exists: none, approve or deny
//	exception         set where upstream takes what we refuse on purpose
//
// Requesters are
//
//	admin             a member of system:masters
//	bootstrap         a bootstrap token's user, granted nodeclient
//	node:NAME         the user system:node:NAME in group system:nodes, granted selfnodeclient
//	user:NAME         a user who may create requests and is granted nodeclient
//	ungranted:NAME    a user who may create requests and nothing else
//
// Nothing is denied or approved by hand that the approving controller would approve as well: which of the two came first
// would be a race. Whether it would is asked of upstream's own rule. What the API server refuses is rare, not absent.
//
// The same seed and count give the same lines, keys and signatures included: keys come from a fixed pool.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"countersign.dev/controlplane/internal/pkcs10"
)

func main() {
	seed := flag.Uint64("seed", 1, "seed of all that is drawn at random")
	count := flag.Int("count", 1200, "number of requests")
	flag.Parse()
	if err := write(newCorpus(*seed, &pkcs10.Pool{}).entries(*count)); err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

func write(entries []entry) error {
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, entry := range entries {
		if err := encoder.Encode(entry); err != nil {
			return err
		}
	}
	return out.Flush()
}
