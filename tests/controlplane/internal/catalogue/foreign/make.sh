#!/bin/sh
# Makes with OpenSSL what Go cannot: keys, certificates and requests of algorithms it lacks, and encrypted keys.
# The results are committed; run this again only to add one.
set -eu
cd "$(dirname "$0")"
openssl genpkey -algorithm ed448 -out ed448.key
openssl ecparam -name secp256k1 -genkey -noout -out secp256k1.key
openssl ecparam -name brainpoolP256r1 -genkey -noout -out brainpool.key
openssl ecparam -name prime192v1 -genkey -noout -out p192.key
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit -out explicit-curve.key
openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out rsa-pss.key
openssl dsaparam -genkey -noout -out dsa.key 2048
for name in ed448 secp256k1 brainpool p192 explicit-curve rsa-pss dsa; do
    openssl req -new -key $name.key -subj "/O=dev/CN=alice" -out $name.csr
    openssl req -x509 -key $name.key -subj "/CN=$name CA" -days 12000 -out $name.crt
done

# One RSA pair in the forms that need its password, or a label that OpenSSL alone writes.
openssl req -x509 -newkey rsa:2048 -nodes -keyout plain.key -subj "/CN=OpenSSL CA" -days 12000 -out plain.crt
openssl pkcs8 -topk8 -in plain.key -passout pass:secret -out encrypted-pkcs8.key
openssl rsa -in plain.key -traditional -aes128 -passout pass:secret -out encrypted-pkcs1.key
openssl x509 -in plain.crt -trustout -out trusted.crt
openssl rsa -in plain.key -traditional -out plain-pkcs1.key
