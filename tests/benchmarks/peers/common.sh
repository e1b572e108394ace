# Sourced by every peer script. All state lives under $PERF; nothing uses system config or systemd.
# run.py chooses the ports and exports them: SMTP SUBMISSION IMAP IMAPS LMTP SINK_PORT.
export PERF=${PERF:?} SMTP=${SMTP:?} SUBMISSION=${SUBMISSION:?} IMAP=${IMAP:?} IMAPS=${IMAPS:?} LMTP=${LMTP:?} SINK_PORT=${SINK_PORT:?}
export RUN=$PERF/run; mkdir -p $RUN $PERF/log
export DOMAIN=perf.test SENDER_DOMAIN=sender.test PASSWORD=perfpass NUSERS=${NUSERS:-20}
# wait_port PORT [SECONDS]: wait until 127.0.0.1:PORT accepts a connection
wait_port() { local i; for i in $(seq 1 $(( ${2:-10} * 20 ))); do (exec 3<>/dev/tcp/127.0.0.1/$1) 2>/dev/null && return 0; sleep 0.05; done; echo "port $1 did not open" >&2; return 1; }
# stop_pid PIDFILE: TERM one process that we started, and wait for it
stop_pid() { [ -f "$1" ] || return 0; local p; p=$(cat "$1"); kill -TERM $p 2>/dev/null; for i in $(seq 1 100); do kill -0 $p 2>/dev/null || break; sleep 0.05; done; rm -f "$1"; }
