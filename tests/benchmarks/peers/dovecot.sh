#!/bin/bash
# dovecot.sh setup|start|stop.  users uN (Maildir), mN (mdbox), sN (sdbox) @perf.test, password perfpass.
. "$(dirname "$0")/common.sh"; D=$PERF/dovecot
case $1 in
setup)
 mkdir -p $D $PERF/mail $D/run; chown perfvmail: $PERF/mail; chmod 755 $D
 # SHA512-CRYPT is the usual Linux scheme; HASH=PLAIN for the ceiling
 H=$(doveadm pw -s ${HASH:-SHA512-CRYPT} -p $PASSWORD)
 : > $D/users
 for i in $(seq 1 $NUSERS); do
  echo "u$i@$DOMAIN:$H:$(id -u perfvmail):$(id -g perfvmail)::$PERF/mail/u$i::userdb_mail=maildir:~/Maildir"
  echo "m$i@$DOMAIN:$H:$(id -u perfvmail):$(id -g perfvmail)::$PERF/mail/m$i::userdb_mail=mdbox:~/mdbox"
  echo "s$i@$DOMAIN:$H:$(id -u perfvmail):$(id -g perfvmail)::$PERF/mail/s$i::userdb_mail=sdbox:~/sdbox"
 done >> $D/users
 cat > $D/dovecot.conf <<C
base_dir = $D/run
state_dir = $D/run
instance_name = perf
log_path = $PERF/log/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <$PERF/tls/cert.pem
ssl_key = <$PERF/tls/key.pem
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format = %Lu
mail_plugins = 
mail_max_userip_connections = 20000
default_client_limit = 25000
default_vsz_limit = 2G
first_valid_uid = 100
namespace inbox {
  inbox = yes
  separator = /
  mailbox Sent {
    special_use = \Sent
    auto = subscribe
  }
  mailbox Junk {
    special_use = \Junk
    auto = subscribe
  }
  mailbox Trash {
    special_use = \Trash
    auto = subscribe
  }
}
passdb {
  driver = passwd-file
  args = $D/users
}
userdb {
  driver = passwd-file
  args = $D/users
}
service anvil {
  client_limit = 40000
}
service auth {
  client_limit = 40000
  unix_listener $PERF/run/dovecot-auth {
    mode = 0666
  }
}
service stats {
  client_limit = 40000
}
service imap-login {
  # high-performance mode (not one process per connection), as Dovecot's docs advise for busy servers
  service_count = 0
  process_min_avail = 2
  process_limit = 2
  client_limit = 12000
  vsz_limit = 2G
  inet_listener imap {
    port = $IMAP
  }
  inet_listener imaps {
    port = $IMAPS
    ssl = yes
  }
}
service imap {
  process_limit = 12000
  vsz_limit = 4G
}
service lmtp {
  process_min_avail = 2
  process_limit = 50
  inet_listener lmtp {
    address = 127.0.0.1
    port = $LMTP
  }
}
lda_mailbox_autocreate = yes
postmaster_address = postmaster@$DOMAIN
hostname = mail.perf.test
C
 ;;
start) dovecot -c $D/dovecot.conf && wait_port $IMAPS;;
stop) dovecot -c $D/dovecot.conf stop; sleep 0.5;;
esac
