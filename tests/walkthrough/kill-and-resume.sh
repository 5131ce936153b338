#!/usr/bin/env bash
# A training run is killed (kill -9) in the middle, resumed, killed and resumed again, and comes to the weights of a run never killed.
# Usage: kill-and-resume.sh [PLUGINHOST]   the program; without it, the solution's own build. Exits 0 when all went as it should.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { printf '\n== %s\n' "$*"; }
fail() { printf 'kill-and-resume.sh: %s\n' "$*" >&2; exit 1; }

if [ $# -gt 0 ]; then program=("$1"); else
  say "build"
  dotnet build -c Release "$root/src/PluginHost/PluginHost.csproj" -v quiet
  program=(dotnet "$root/src/PluginHost/bin/Release/pluginhost.dll")
fi
printf '{ "plugins": ["{host}/plugins"], "artifacts": "%s/runs", "device": "cpu" }\n' "$work" > "$work/host.json"
pluginhost() { "${program[@]}" "$@" --host "$work/host.json"; }
small=(--set data.settings.train=64 --set data.settings.validation=8 --set data.settings.test=8 --set data.settings.compositional=8 --set "evaluate=[]"
  --set stages.0.batch=8 --set stages.0.steps=60 --set stages.0.checkpointEvery=5 --set stages.1.batch=8 --set stages.1.steps=30 --set stages.1.checkpointEvery=5)
latest() { printf '%s/runs/%s' "$work" "$(cat "$work/runs/latest")"; }
checkpoints() { ls "$(latest)/checkpoints" 2> /dev/null | grep '\.safetensors$' || true; }

say "a run that nobody kills"
pluginhost run "$root/host-config/pocket.json" "${small[@]}" > /dev/null
whole=$(sha256sum < "$(latest)/model.safetensors")
first=$(latest)

# Starts a command in the background and kills it as soon as a checkpoint of that name, or a later one, is there.
kill_at() {
  local name=$1; shift
  "${program[@]}" "$@" --host "$work/host.json" > /dev/null &
  local id=$!
  for _ in $(seq 6000); do
    if [ "$(latest)" != "$first" ] && [[ "$(checkpoints | tail -1)" > "$name" ]]; then break; fi
    kill -0 $id 2> /dev/null || fail "the run ended before it could be killed"
    sleep 0.01
  done
  kill -9 $id
  wait $id 2> /dev/null || true
  printf 'killed with the checkpoints %s\n' "$(checkpoints | tr '\n' ' ')"
}

say "a run that is killed in its first stage"
kill_at 00-000000010 run "$root/host-config/pocket.json" "${small[@]}"
say "resumed, and killed in its second stage"
kill_at 01-000000005 run --resume latest
say "resumed to its end"
pluginhost run --resume latest | tail -2

[ "$(sha256sum < "$(latest)/model.safetensors")" = "$whole" ] || fail "the weights differ"
[ -z "$(find "$(latest)" -name '*.tmp')" ] || fail "something half-written is left"
say "the weights are those of the run that nobody killed, byte for byte"
