#!/usr/bin/env bash
# Replicas of the app on this machine behind one address: deploy/replicas.sh [HOW_MANY]
#
# By default there is one for each core. The balancer (Debian: `apt-get install haproxy`) listens at
# METADEMO_BIND, :8080 by default. For a lasting installation have each run by systemd, see README.md.
#
#   METADEMO_PYTHON   what runs them (.venv/bin/python)
#   METADEMO_PORTS    their ports ("8501 8502 ...")
#   METADEMO_PIN=1    each on a core of its own
set -euo pipefail
cd "$(dirname "$0")/.."

PATH=$PATH:/usr/sbin  # where Debian has haproxy, and a user's shell may not look
cores=$(nproc)
count=${1:-$cores}
python=${METADEMO_PYTHON:-.venv/bin/python}
read -ra ports <<<"${METADEMO_PORTS:-$(seq -s ' ' 8501 $((8500 + count)))}"
# One secret, so that each takes the cookies that another has signed.
export STREAMLIT_SERVER_COOKIE_SECRET=${STREAMLIT_SERVER_COOKIE_SECRET:-$(head -c 32 /dev/urandom | base64)}

folder=$(mktemp -d)
running=()
finish() {
  kill "${running[@]}" 2>/dev/null || true
  wait
  rm -r "$folder"
}
trap finish EXIT
trap 'exit 143' TERM INT

# Without the lines about users: whoever starts this need not be root.
sed -E '/^ *(server|user|group) /d' deploy/haproxy.cfg >"$folder/haproxy.cfg"
for ((i = 0; i < count; i++)); do
  pinned=()
  if [ -n "${METADEMO_PIN:-}" ]; then pinned=(taskset --cpu-list $((i % cores))); fi
  ${pinned[@]+"${pinned[@]}"} "$python" -m streamlit run streamlit_app.py --server.headless true \
    --server.address 127.0.0.1 --server.port "${ports[i]}" &
  running+=($!)
  echo "    server replica$i 127.0.0.1:${ports[i]} cookie replica$i" >>"$folder/haproxy.cfg"
  echo "replica$i: process $!, port ${ports[i]}"
done

haproxy -db -f "$folder/haproxy.cfg" &
running+=($!)
echo "balancer: process $!"
# It goes on while replicas come and go.
wait $!
