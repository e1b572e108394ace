#!/bin/bash
# rspamd.sh setup|start|stop|train SPAM HAM.  Redis (Bayes) and rspamd as a milter: SPF, DKIM, DMARC, Bayes.
# DNS goes to a server of the benchmark's, which answers at once, so RBL/SURBL/fuzzy are off and nothing times out.
. "$(dirname "$0")/common.sh"; R=$PERF/rspamd
case $1 in
setup)
 rm -rf $R/etc; mkdir -p $R/etc $R/db $R/redis; cp -r /etc/rspamd/. $R/etc/; mkdir -p $R/etc/local.d $R/etc/override.d
 L=$R/etc/local.d
 cat > $L/options.inc <<C
dns { nameserver = ["127.0.0.1:$DNS_PORT"]; timeout = 0.5s; retransmits = 1; }
local_addrs = [];
filters = "chartable,dkim,regexp";
C
 echo 'level = "warning";' > $L/logging.inc
 echo 'enabled = false;' > $L/worker-normal.inc
 printf 'bind_socket = "127.0.0.1:%s"; password = "q1"; enable_password = "q1";\n' $RSPAMD_CTRL > $L/worker-controller.inc
 # milter: scan in the proxy process itself (self_scan), two processes
 cat > $L/worker-proxy.inc <<C
bind_socket = "127.0.0.1:$RSPAMD_MILTER"; milter = yes; timeout = 20s; count = 2;
upstream "local" { default = yes; self_scan = yes; }
C
 echo "servers = \"127.0.0.1:$REDIS_PORT\";" > $L/redis.conf
 echo 'backend = "redis"; autolearn = false; min_learns = 50;' > $L/classifier-bayes.conf
 for m in spf dkim dmarc; do printf 'check_local = true; check_authed = true;\n' > $L/$m.conf; done
 for m in rbl surbl fuzzy_check asn greylist mx_check neural phishing url_redirector history_redis ratelimit replies reputation dcc antivirus p0f arc dkim_signing bimi clickhouse elastic rspamd_update; do echo 'enabled = false;' > $L/$m.conf; done
 echo 'reject = 50; add_header = 6; greylist = null;' > $L/actions.conf
 echo 'skip_local = false; skip_authenticated = false; use = ["x-spamd-bar","authentication-results","x-spam-level"];' > $L/milter_headers.conf
 chown -R _rspamd: $R/db
 ;;
start)
 setsid redis-server --port $REDIS_PORT --bind 127.0.0.1 --dir $R/redis --save "" --appendonly no --daemonize no >$PERF/log/redis.log 2>&1 </dev/null & echo $! > $RUN/redis.pid
 wait_port $REDIS_PORT
 mkdir -p $R/run; chown _rspamd: $R/run $R/db
 setsid rspamd -f -i -u _rspamd -g _rspamd -c $R/etc/rspamd.conf --var CONFDIR=$R/etc --var LOCAL_CONFDIR=$R/etc --var DBDIR=$R/db --var RUNDIR=$R/run --var LOGDIR=$R/run >$PERF/log/rspamd.out 2>&1 </dev/null & echo $! > $RUN/rspamd.pid
 wait_port $RSPAMD_MILTER 30;;
train) rspamc -h 127.0.0.1:$RSPAMD_CTRL -P q1 learn_spam $2 && rspamc -h 127.0.0.1:$RSPAMD_CTRL -P q1 learn_ham $3;;
stop) stop_pid $RUN/rspamd.pid; stop_pid $RUN/redis.pid;;
esac
