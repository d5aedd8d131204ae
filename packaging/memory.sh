#!/bin/sh
# The resident memory of an idle endpoint daemon, after its start, its first publication and a call in
# each direction:  packaging/memory.sh [path of ringtrue [budget in KiB]]
# Prints KiB; ends with 1 above the budget. Needs Linux and Python 3.
set -eu

RINGTRUE=${1:-target/release-mobile/ringtrue}
BUDGET_KIB=${2:-8192}
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
until grep -q '^serving' "$work/cps"; do sleep 0.1; done
base=$(sed -n 's/^serving \([^ ]*\) .*/\1/p' "$work/cps")
for number in "$ALICE" "$BOB"; do
	"$RINGTRUE" endpoint serve --log error --lab "$work/lab" --number "$number" --base "$base" \
		--socket "$work/$number" >/dev/null &
	pids="$pids $!"
	# Status 0: its keys are published.
	until "$RINGTRUE" endpoint status --socket "$work/$number" >/dev/null 2>&1; do sleep 0.2; done
done

python3 - "$work" "$ALICE" "$BOB" "$BUDGET_KIB" <<'PYTHON'
import json, socket, sys, time

folder, alice, bob, budget = sys.argv[1:]


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
print(f"budget: {budget} KiB, {'kept' if worst <= int(budget) else 'EXCEEDED'}")
sys.exit(worst > int(budget))
PYTHON
