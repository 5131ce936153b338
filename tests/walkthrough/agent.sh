#!/usr/bin/env bash
# An agent's day: the server starts, a tool is registered by REST, an agent is asked through npm's openai and calls it, the tool is seen over MCP, it is removed and gone everywhere, and the server ends.
# The model that the agent thinks with is scripted: it stands behind OpenAI's API as a remote model, calls the first tool whose name its question has, and tells the result.
# Usage: agent.sh [PLUGINHOST [RUN]]   the program; without it, the solution's own build. With the folder of a run of host-config/tools.json, that small model is asked as well. Needs curl, and node with npm's 'openai' and '@modelcontextprotocol/sdk' under $PLUGINHOST_NPM/node_modules.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
npm=${PLUGINHOST_NPM:-$root/host-config}
work=$(mktemp -d)
server= outside=
trap '[ -z "$server" ] || kill -9 "$server" 2> /dev/null || true; [ -z "$outside" ] || kill "$outside" 2> /dev/null || true; rm -rf "$work"' EXIT
say() { printf '\n== %s\n' "$*"; }
fail() { printf 'agent.sh: %s\n' "$*" >&2; [ ! -e "$work/log" ] || tail -5 "$work/log" >&2; exit 1; }
for package in openai@7.55.0 @modelcontextprotocol/sdk@1.32.2; do
  [ -d "$npm/node_modules/${package%@*}" ] || fail "there is no npm package '${package%@*}' in $npm/node_modules: npm install --prefix $npm --ignore-scripts $package"
done

if [ $# -gt 0 ]; then program=("$1"); else
  say "build"
  dotnet build -c Release "$root/src/PluginHost/PluginHost.csproj" -v quiet
  program=(dotnet "$root/src/PluginHost/bin/Release/pluginhost.dll")
fi

# What is outside: an endpoint that knows the weather, and the scripted model.
cat > "$work/outside.mjs" <<'JS'
import http from 'node:http';
const send = (response, delta, reason) => response.write('data: ' + JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'scripted', choices: [{ index: 0, delta, finish_reason: reason }] }) + '\n\n');
http.createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  if (request.url === '/weather') return response.end(`it snows in ${JSON.parse(body).city}`);
  if (request.url === '/done') return response.end('done');
  const { messages, tools = [] } = JSON.parse(body);
  response.setHeader('Content-Type', 'text/event-stream');
  const question = messages.filter(message => message.role === 'user').pop().content;
  const text = typeof question === 'string' ? question : question.map(part => part.text).join('');
  const tool = tools.find(tool => text.includes(tool.function.name));
  if (messages.at(-1).role === 'tool') send(response, { role: 'assistant', content: 'I asked, and heard: ' + messages.at(-1).content }, null);
  else if (tool) send(response, { role: 'assistant', tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: tool.function.name, arguments: '{"city":"Bern"}' } }] }, null);
  else send(response, { role: 'assistant', content: 'I have no such tool.' }, null);
  send(response, {}, messages.at(-1).role !== 'tool' && tool ? 'tool_calls' : 'stop');
  response.end('data: [DONE]\n\n');
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
JS
node "$work/outside.mjs" > "$work/port" &
outside=$!
for _ in $(seq 100); do [ -s "$work/port" ] && break; sleep 0.1; done
port=$(cat "$work/port")

run=${2:-}
local_agent= project=
if [ -n "$run" ]; then
  project=$(sed -n 's/^ *"name": *"\([^"]*\)".*/\1/p' "$run/project.json" | head -1)
  local_agent=", \"local\": { \"model\": \"$project\", \"maxSteps\": 4, \"tools\": [\"move_shape\", \"paint_background\"] }"
fi

cat > "$work/host.json" <<JSON
{ "plugins": ["{host}/plugins"], "artifacts": "$work/runs", "device": "cpu",
  "server": {
    "urls": ["http://127.0.0.1:0"], "toolHosts": ["127.0.0.1:$port"], "tools": ["tool.calculator"],
    "remotes": { "scripted": { "url": "http://127.0.0.1:$port/v1" } },
    "agents": { "assistant": { "model": "scripted", "maxSteps": 4 }$local_agent } } }
JSON

say "start"
"${program[@]}" serve $run --host "$work/host.json" > "$work/log" 2>&1 &
server=$!
for _ in $(seq 600); do
  url=$(sed -n 's/^listening at //p' "$work/log")
  if [ -n "$url" ] && curl -sf "$url/health/ready" > /dev/null; then break; fi
  kill -0 $server 2> /dev/null || fail "the server did not start"
  sleep 0.1
done
curl -sf "$url/v1/models" | grep -q '"assistant"' || fail "the agent is not listed"

say "a tool is registered"
curl -sf "$url/v1/tools" -H 'Content-Type: application/json' -d '{ "name": "weather", "description": "Tells the weather in a city", "endpoint": "http://127.0.0.1:'"$port"'/weather",
  "parameters": { "city": { "type": "string", "description": "The city" } }, "required": ["city"] }'
echo

cat > "$work/ask.mjs" <<'JS'
import { createRequire } from 'node:module';
const OpenAI = createRequire(process.argv[2] + '/')('openai').default;
const client = new OpenAI({ baseURL: process.argv[3] + '/v1', apiKey: 'none' });
const stream = await client.chat.completions.create({ model: process.argv[4] ?? 'assistant', stream: true, temperature: 0, messages: [{ role: 'user', content: process.argv[5] ?? 'what does weather say about Bern?' }] });
for await (const { choices: [choice] } of stream) {
  for (const call of choice?.delta?.tool_calls ?? []) console.log(`call: ${call.function.name} ${JSON.stringify(JSON.parse(call.function.arguments))}`);
  for (const result of choice?.delta?.tool_results ?? []) console.log(`result: ${result.content} (untrusted: ${result.untrusted})`);
  if (choice?.delta?.content) console.log(`text: ${choice.delta.content}`);
  if (choice?.finish_reason) console.log(`ended by '${choice.finish_reason}'`);
}
JS
say "the agent is asked, and calls it"
node "$work/ask.mjs" "$npm/node_modules" "$url" | tee "$work/answer"
grep -q 'call: weather {"city":"Bern"}' "$work/answer" || fail "there was no call"
grep -q 'result: it snows in Bern (untrusted: true)' "$work/answer" || fail "there was no result"
grep -q "ended by 'stop'" "$work/answer" || fail "the answer did not end"

cat > "$work/list.mjs" <<'JS'
import { createRequire } from 'node:module';
const require = createRequire(process.argv[2] + '/');
const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
const { StreamableHTTPClientTransport } = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
const client = new Client({ name: 'walkthrough', version: '1' });
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv[3] + '/mcp')));
console.log((await client.listTools()).tools.map(tool => tool.name).join(' '));
await client.close();
JS
say "the tools over MCP"
[ "$(node "$work/list.mjs" "$npm/node_modules" "$url" | tee /dev/stderr)" = "calculator weather" ] || fail "the tool is not there over MCP"

say "it is removed, and gone"
curl -sf -X DELETE "$url/v1/tools/weather"; echo
[ "$(node "$work/list.mjs" "$npm/node_modules" "$url" | tee /dev/stderr)" = "calculator" ] || fail "the tool is still there over MCP"
[ "$(curl -s -o /dev/null -w '%{http_code}' "$url/v1/tools/weather")" = 404 ] || fail "the tool is still there over REST"
node "$work/ask.mjs" "$npm/node_modules" "$url" | tee "$work/answer"
grep -q 'no such tool' "$work/answer" || fail "the agent still has the tool"

if [ -n "$run" ]; then
  say "our own small model is asked, calls, and tells the result"
  tool() { curl -sf "$url/v1/tools" -H 'Content-Type: application/json' -o /dev/null -d '{ "name": "'"$1"'", "description": "'"$2"'", "endpoint": "http://127.0.0.1:'"$port"'/done", "parameters": '"$3"' }'; }
  tool move_shape "move a shape to a place" '{ "type": "object", "properties": { "shape": { "type": "string" }, "place": { "type": "string" } }, "required": ["shape", "place"] }'
  tool paint_background "paint the background in a colour" '{ "type": "object", "properties": { "colour": { "type": "string" } }, "required": ["colour"] }'
  node "$work/ask.mjs" "$npm/node_modules" "$url" local "could you paint the whole background in red" | tee "$work/answer"
  grep -q 'call: paint_background {"colour":"red"}' "$work/answer" || fail "there was no call"
  grep -q "ended by 'stop'" "$work/answer" || fail "the answer did not end"
fi

say "what the agent did is written down"
cat "$work"/runs/agents/*/*.jsonl | sed 's/^\(.\{150\}\).*/\1.../'

say "SIGTERM"
kill -TERM $server
wait $server || fail "the server did not end with success"
server=
say "done"
