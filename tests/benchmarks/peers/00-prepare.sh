#!/bin/bash
# One-time: unprivileged mail user, CA + server cert (ECDSA P-256), DKIM key of the sending domain.
. "$(dirname "$0")/common.sh"; set -e
id perfvmail >/dev/null 2>&1 || useradd -r -M -s /usr/sbin/nologin perfvmail
mkdir -p $PERF/tls $PERF/keys && cd $PERF/tls
if [ ! -f cert.pem ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -keyout ca.key -out ca.pem -subj "/CN=perf CA" 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out srv.csr -subj "/CN=mail.perf.test" 2>/dev/null
  printf 'subjectAltName=DNS:mail.perf.test,DNS:localhost,IP:127.0.0.1\n' > ext
  openssl x509 -req -in srv.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile ext -out cert.pem 2>/dev/null
  chmod 644 key.pem
fi
cd $PERF/keys
[ -f sender.pem ] || { openssl genrsa -traditional -out sender.pem 2048 2>/dev/null || openssl genrsa -out sender.pem 2048; openssl rsa -in sender.pem -pubout -outform DER 2>/dev/null | base64 -w0 > sender.pub; }
chmod 644 *.pem *.pub
