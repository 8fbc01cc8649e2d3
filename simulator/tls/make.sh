#!/bin/sh
# Makes the test certificates anew. The authority's key is thrown away at the end.
set -eu
cd "$(dirname "$0")"
openssl ecparam -name prime256v1 -genkey -noout -out ca.key
openssl req -x509 -new -key ca.key -sha256 -days 10957 -subj "/CN=liter-llm simulator test CA" \
  -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" -out ca.pem
make_certificate() { # file name, subject, alternative names
  openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1.key"
  openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
  printf '%s\n' "subjectAltName=$3" "basicConstraints=critical,CA:FALSE" \
    "keyUsage=critical,digitalSignature" "extendedKeyUsage=serverAuth" > "$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -sha256 -days 10957 \
    -extfile "$1.ext" -out "$1.pem"
}
make_certificate localhost localhost "DNS:localhost,IP:127.0.0.1"
make_certificate wrong wrong.example "DNS:wrong.example"
rm -f ca.key ca.srl ./*.csr ./*.ext
