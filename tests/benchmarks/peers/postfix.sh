#!/bin/bash
# One private instance: own config, queue and data directories.  Outbound for other domains goes to smtp-sink on 2599.
. "$(dirname "$0")/common.sh"; P=$PERF/postfix
case $1 in
setup)
 mkdir -p $P $P/spool $P/data; chown postfix $P/data; touch $P/aliases
 cp /etc/postfix/dynamicmaps.cf $P/ 2>/dev/null; cp -r /etc/postfix/dynamicmaps.cf.d $P/ 2>/dev/null
 cp /etc/postfix/postfix-files $P/ ; cp -r /etc/postfix/postfix-files.d $P/ 2>/dev/null
 cat > $P/main.cf <<C
compatibility_level = 3.6
queue_directory = $P/spool
data_directory = $P/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = $PERF/log/postfix.log
maillog_file_prefixes = /var, $PERF
multi_instance_enable = yes
multi_instance_name = postfix-perf
alternate_config_directories =
myhostname = mail.perf.test
mydestination =
mynetworks = 127.0.0.77/32
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_bind_address = 127.0.0.1
virtual_mailbox_domains = $DOMAIN
virtual_transport = lmtp:inet:127.0.0.1:$LMTP
virtual_mailbox_maps = 
local_recipient_maps =
alias_maps =
relayhost = [127.0.0.1]:$SINK_PORT
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions =
smtpd_tls_security_level = may
smtpd_tls_cert_file = $PERF/tls/cert.pem
smtpd_tls_key_file = $PERF/tls/key.pem
smtpd_tls_session_cache_database =
smtpd_sasl_type = dovecot
smtpd_sasl_path = $PERF/run/dovecot-auth
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_peername_lookup = no
disable_dns_lookups = yes
smtp_dns_support_level = disabled
lmtp_destination_concurrency_limit = 20
lmtp_connection_cache_on_demand = yes
default_process_limit = 100
message_size_limit = 52428800
milter_protocol = 6
milter_mail_macros = i {mail_addr} {client_addr} {client_name} {auth_authen}
C
 M=/usr/lib/postfix/sbin
 cat > $P/master.cf <<C
127.0.0.1:$SMTP inet n - n - - smtpd ${RSPAMD_MILTER:+-o smtpd_milters=inet:127.0.0.1:$RSPAMD_MILTER}
127.0.0.1:$SUBMISSION inet n - n - - smtpd -o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
C
 ;;
start) postfix -c $P start && wait_port $SMTP
  setsid smtp-sink -c 127.0.0.1:$SINK_PORT 256 >/dev/null 2>&1 </dev/null & echo $! > $RUN/sink.pid;;
stop) postfix -c $P stop; stop_pid $RUN/sink.pid;;
esac
