#!/usr/bin/env bash
# A server's day: it starts, a client streams an answer about a picture, a training job is asked for, the fusion plugin is swapped meanwhile, the server is killed (kill -9) and started
# again, the job goes on to its end, and SIGTERM ends the server with success.
# Usage: service.sh [PLUGINHOST]   the program; without it, the solution's own build. Needs curl, and node with npm's 'openai' under $PLUGINHOST_NPM/node_modules. Exits 0 when all went as it should.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
npm=${PLUGINHOST_NPM:-$root/host-config}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -9 "$server" 2> /dev/null || true; rm -rf "$work"' EXIT
say() { printf '\n== %s\n' "$*"; }
fail() { printf 'service.sh: %s\n' "$*" >&2; [ ! -e "$work/log" ] || tail -5 "$work/log" >&2; exit 1; }
[ -d "$npm/node_modules/openai" ] || fail "there is no npm package 'openai' in $npm/node_modules: npm install --prefix $npm --ignore-scripts openai@7.55.0"

if [ $# -gt 0 ]; then program=("$1"); plugins=$(dirname "$1")/plugins; else
  say "build"
  dotnet build -c Release "$root/src/PluginHost/PluginHost.csproj" -v quiet
  program=(dotnet "$root/src/PluginHost/bin/Release/pluginhost.dll"); plugins=$root/src/PluginHost/bin/Release/plugins
fi
printf '{ "plugins": ["{host}/plugins"], "artifacts": "%s/runs", "device": "cpu", "server": { "urls": ["http://127.0.0.1:0"] } }\n' "$work" > "$work/host.json"
cp "$root/host-config/pocket.json" "$work/pocket.json"
small=(--set data.settings.train=64 --set data.settings.validation=8 --set data.settings.test=8 --set data.settings.compositional=8 --set "evaluate=[]" --set stages.0.batch=8 --set stages.1.batch=8)

say "train a small model"
"${program[@]}" run "$work/pocket.json" "${small[@]}" --set stages.0.steps=5 --set stages.1.steps=5 --host "$work/host.json" | tail -2
model=$(cat "$work/runs/latest")
# What the job is to train: long enough to be killed in the middle.
sed -e 's/"name": "pocket"/"name": "job"/' -e 's/"train": [0-9]*/"train": 64, "validation": 8, "test": 8, "compositional": 8/' -e 's/"steps": [0-9]*/&, "checkpointEvery": 5/' "$work/pocket.json" > "$work/job.json"
"${program[@]}" plan "$work/job.json" --host "$work/host.json" > /dev/null

# Starts the server and waits until it is ready; its address is in $url.
start() {
  "${program[@]}" serve "$model" --host "$work/host.json" > "$work/log" 2>&1 &
  server=$!
  for _ in $(seq 600); do
    url=$(sed -n 's/^listening at //p' "$work/log")
    if [ -n "$url" ] && curl -sf "$url/health/ready" > /dev/null; then return; fi
    kill -0 $server 2> /dev/null || fail "the server did not start"
    sleep 0.1
  done
  fail "the server is not ready after a minute"
}
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" | head -1; }
status() { curl -sf "$url/v1/fine_tuning/jobs/$job" | field status; }
await() { for _ in $(seq 3000); do [ "$(status)" = "$1" ] && return; sleep 0.1; done; fail "the job is $(status), not $1"; }
steps() { curl -sf "$url/v1/fine_tuning/jobs/$job/events?limit=100" | grep -o '/[0-9]*  loss' | wc -l; }

say "start"
start
say "a picture, streamed through npm's openai"
cat > "$work/chat.mjs" <<'JS'
import { createRequire } from 'node:module';
const OpenAI = createRequire(process.argv[2] + '/')('openai').default;
const client = new OpenAI({ baseURL: process.argv[3] + '/v1', apiKey: 'none' });
const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mP4z8CAFTEMLQkAKP8/wc53yE8AAAAASUVORK5CYII=';
const stream = await client.chat.completions.create({
  model: 'pocket', stream: true, max_tokens: 20, seed: 1,
  messages: [{ role: 'user', content: [{ type: 'text', text: 'what is there?' }, { type: 'image_url', image_url: { url: 'data:image/png;base64,' + picture } }] }],
});
let chunks = 0, end = '';
for await (const chunk of stream) { chunks++; process.stdout.write(chunk.choices[0]?.delta?.content ?? ''); end = chunk.choices[0]?.finish_reason ?? end; }
console.log(`\n${chunks} chunks, ended by '${end}'`);
if (!['stop', 'length'].includes(end)) process.exit(1);
JS
node "$work/chat.mjs" "$npm/node_modules" "$url"

say "a training job"
job=$(curl -sf "$url/v1/fine_tuning/jobs" -H 'Content-Type: application/json' -d '{"model":"job","training_file":"job.json","hyperparameters":{"steps":80,"batch_size":8}}' | field id)
await running
for _ in $(seq 600); do [ "$(steps)" -gt 0 ] && break; sleep 0.1; done
say "the fusion plugin is swapped meanwhile"
mkdir -p "$work/next"; cp -r "$plugins/Fusion.Mid" "$work/next/"
curl -sf "$url/admin/plugins/fusion.mid/swap" -H 'Content-Type: application/json' -d "{\"folder\":\"$work/next/Fusion.Mid\"}" | tee "$work/swap"
grep -q '"done":true' "$work/swap" && grep -q 'the version before is unloaded' "$work/swap" || fail "the swap did not go through"
node "$work/chat.mjs" "$npm/node_modules" "$url"

say "kill -9"
[ "$(status)" = running ] || fail "the job is $(status) before it could be killed"
kill -9 "$server"; wait "$server" 2> /dev/null || true
say "start again: the job goes on"
start
curl -sf "$url/v1/fine_tuning/jobs/$job" ; printf '\n'
await succeeded
curl -sf "$url/v1/fine_tuning/jobs/$job/events?limit=100" | grep -o '"message":"[^"]*"' | tail -4
curl -sf "$url/v1/fine_tuning/jobs/$job/events?limit=100" | grep -q "goes on after the server's end" || fail "the job did not go on"

say "SIGTERM"
kill -TERM "$server"
wait "$server" || fail "the server ended with $?"
say "the server ended with success"
