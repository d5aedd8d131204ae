#!/bin/sh
# The resident memory of an idle endpoint daemon, after its start, its first publication and a call in
# each direction:
#
#     packaging/memory.sh [ENDPOINT [RINGTRUE [GOAL_KIB [CEILING_KIB]]]]
#
# ENDPOINT is the program that is measured, as packages build it (packaging/README.md). RINGTRUE is any
# build of the whole command: it makes the laboratory and runs the service.
# Prints KiB; ends with 1 above the goal, or above the ceiling if there is one. Needs Linux and Python 3.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
ENDPOINT=${1:-target/release-mobile/ringtrue}
RINGTRUE=${2:-target/debug/ringtrue}
# The budget is in octets, the kernel counts in units of 1024.
budget() { awk -v column="$1" '$1 == "daemon-memory" { print int($column / 1024) }' "$root/xtask/size-budget.txt"; }
GOAL_KIB=${3:-$(budget 2)}
CEILING_KIB=${4:-$(budget 3)}
[ "$CEILING_KIB" -gt 0 ] || CEILING_KIB=$GOAL_KIB
# As the service runs it.
environment=$(sed -n 's/^Environment=//p' "$root/packaging/systemd/ringtrue-endpoint.service")
ALICE=12025550143
BOB=12025550177

work=$(mktemp -d)
pids=
finish() {
	for pid in $pids; do kill "$pid" 2>/dev/null || true; done
	rm -rf "$work"
}
trap finish EXIT

"$RINGTRUE" lab init "$work/lab" --number "$ALICE" --number "$BOB" >/dev/null
"$RINGTRUE" cps serve --lab "$work/lab" --listen 127.0.0.1:0 >"$work/cps" &
pids="$pids $!"
until grep -qs '^serving' "$work/cps"; do sleep 0.1; done
base=$(sed -n 's/^serving \([^ ]*\) .*/\1/p' "$work/cps")
for number in "$ALICE" "$BOB"; do
	cat >"$work/$number.toml" <<TOML
numbers = ["$number"]
chain = "lab/$number/chain.pem"
key = "lab/$number/key.pem"
x5u = "https://lab.ringtrue.example/$number.pem"
anchors = ["lab/root.pem"]
base_url = "$base"
tls_root = "lab/tls-root.pem"
allow_direct = true
allow_loopback = true
profile = "delegate"
state = "state-$number"

[serve]
socket = "$number"
TOML
	# shellcheck disable=SC2086  # several settings
	env $environment "$ENDPOINT" endpoint serve --log error --config "$work/$number.toml" >/dev/null &
	pids="$pids $!"
	# Status 0: its keys are published.
	until "$ENDPOINT" endpoint status --socket "$work/$number" >/dev/null 2>&1; do sleep 0.2; done
done

python3 - "$work" "$ALICE" "$BOB" "$GOAL_KIB" "$CEILING_KIB" <<'PYTHON'
import json, socket, sys, time

folder, alice, bob = sys.argv[1:4]
goal, ceiling = map(int, sys.argv[4:])


class Client:
    def __init__(self, number):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(f"{folder}/{number}")
        self.lines = self.socket.makefile()

    def ask(self, method, **params):
        request = {"id": 1, "method": method, "params": params}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        for line in self.lines:
            answer = json.loads(line)
            if "event" not in answer:
                return answer["result"]


clients = {number: Client(number) for number in (alice, bob)}
for caller, called in ((alice, bob), (bob, alice)):
    placed = clients[caller].ask("place", to=called)
    rung = clients[called].ask("ring", **{"from": caller, "to": called})
    clients[called].ask("answer", call=rung["call"])
    seen = clients[caller].ask("await", call=placed["call"], deadline_ms=30000)
    print(f"call: {rung['verdict']}, answer: {seen['verdict']}")
    for number, call in ((caller, placed), (called, rung)):
        clients[number].ask("ended", call=call["call"])
# Polls go on for some seconds after a call, and idle threads end.
time.sleep(10)
worst = 0
for number in (alice, bob):
    resident = clients[number].ask("status")["resident_kib"]
    print("daemon:", ", ".join(f"{name} {kib} KiB" for name, kib in resident.items()))
    worst = max(worst, resident["all"])
if worst <= goal:
    outcome = "kept"
elif worst <= ceiling:
    outcome = f"NOT REACHED; not above the {ceiling} KiB that it may take until then"
else:
    outcome = f"EXCEEDED, more than the {ceiling} KiB that it may take"
print(f"budget: {worst} of {goal} KiB, {outcome}")
sys.exit(worst > ceiling)
PYTHON
