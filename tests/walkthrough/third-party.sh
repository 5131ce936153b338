#!/usr/bin/env bash
# The path of a stranger who ships a plugin, from nothing: template, other mathematics, tests, package.
# Usage: third-party.sh [FEED]   a folder with the packed solution; without it, the solution is packed first.
# Exits 0 when every step went as it should. Needs the .NET 10 SDK and what the solution itself restores.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DOTNET_CLI_HOME="$work/home" DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
machine_packages=${NUGET_PACKAGES:-$HOME/.nuget/packages}

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'third-party.sh: %s\n' "$*" >&2; exit 1; }

# --- The feed: what the project publishes. -------------------------------------------------------------------------------------
if [ $# -gt 0 ]; then
  feed=$(cd "$1" && pwd)
else
  say "pack the solution"
  feed="$work/feed"
  dotnet pack -c Release "$root/PluginHost.sln" -o "$feed" -v quiet
fi
version=$(basename "$(ls "$feed"/PluginHost.Sdk.[0-9]*.nupkg | head -1)" .nupkg); version=${version#PluginHost.Sdk.}

# --- The stranger's machine: the feed, the tool, the templates; no source of the project. -----------------------------------------
say "a folder with the feed, the tool and the templates, version $version"
stranger="$work/stranger"
mkdir -p "$stranger"
cd "$stranger"
cat > nuget.config <<CONFIG
<configuration>
  <config><add key="globalPackagesFolder" value="$work/packages" /></config>
  <packageSources><add key="feed" value="$feed" /></packageSources>
  <fallbackPackageFolders><add key="machine" value="$machine_packages" /></fallbackPackageFolders>
</configuration>
CONFIG
dotnet tool install PluginHost --version "$version" --tool-path "$work/tool" > /dev/null
pluginhost="$work/tool/pluginhost"
dotnet new install "$feed/PluginHost.Templates.$version.nupkg" > /dev/null

# --- Write a plugin. ------------------------------------------------------------------------------------------------------------
say "dotnet new: a fusion"
dotnet new pluginhost --kind fusion -n Gated

say "change its mathematics: a sigmoid for the gate instead of a tanh"
code=Gated/Fusion.Gated/GatedFusion.cs
sed -i 's/gate\.tanh()/gate.sigmoid()/; s/tanh(gate)/sigmoid(gate)/' "$code"
grep -q 'gate\.sigmoid()' "$code" || fail "the template's mathematics is not where it is looked for, in $code"

say "test it with the conformance suite of its kind"
dotnet test Gated -v quiet --nologo

say "pack it"
dotnet pack Gated -v quiet --nologo
package=$(ls Gated/Fusion.Gated/bin/Release/Fusion.Gated.1.0.0.nupkg) || fail "dotnet pack gave no package"
grep -aq 'plugin/Fusion.Gated.dll' "$package" || fail "$package does not hold the plugin's folder"
if grep -aqE 'plugin/(PluginHost\.Sdk|TorchSharp)\.dll|libtorch' "$package"; then fail "$package brings what the host shares"; fi

# --- Use it. --------------------------------------------------------------------------------------------------------------------
say "install it"
cat > host.json <<HOST
{ "plugins": ["{host}/plugins"], "artifacts": "runs", "device": "cpu", "install": { "store": "{config}/store", "feeds": { "mine": "$(dirname "$PWD/$package")" } } }
HOST
"$pluginhost" plugins install Fusion.Gated --host host.json
"$pluginhost" plugins list --host host.json | grep -q 'fusion\.gated' || fail "the installed plugin is not listed"

say "run with one word of the project changed"
cp "$root/host-config/pocket.json" pocket.json
small=(--set data.settings.train=64 --set data.settings.validation=8 --set stages.0.batch=8 --set stages.1.batch=8 --set stages.1.steps=2 --set evaluate=[])
"$pluginhost" run pocket.json --host host.json "${small[@]}" --set graph.fusion.use=fusion.gated --set stages.0.steps=2 | grep -q '^run folder' || fail "the run did not end well"

say "edit it, and swap it during a run"
"$pluginhost" run pocket.json --host host.json "${small[@]}" --set graph.fusion.use=fusion.gated --set stages.0.steps=1200 > run.log 2>&1 &
run=$!
for _ in $(seq 600); do grep -q 'pretrain 1/1200' run.log && break; sleep 0.1; done
sed -i 's/gate\.sigmoid()/(gate * 2).sigmoid()/' "$code"
dotnet pack Gated -v quiet --nologo -p:Version=1.0.1
"$pluginhost" plugins update Fusion.Gated --host host.json
kill -0 $run 2> /dev/null || fail "the run was over before the swap: $(tail -3 run.log)"
"$pluginhost" plugins swap fusion.gated --host host.json | tee swap.log
grep -q 'fusion.gated 1.0.1' swap.log || fail "the new version does not serve"
grep -q 'is unloaded' swap.log || fail "the old version was not let go"
"$pluginhost" plugins list --run latest --host host.json | grep 'fusion\.gated'
wait $run || fail "the run failed after the swap: $(tail -3 run.log)"
grep -q '"version": "1.0.1"' runs/"$(cat runs/latest)"/run.json || fail "the run's record does not name the new version"

say "remove it"
"$pluginhost" plugins remove Fusion.Gated --host host.json
status=0
"$pluginhost" plan pocket.json --host host.json --set graph.fusion.use=fusion.gated || status=$?
[ "$status" = 2 ] || fail "a plan with the removed plugin should end with exit code 2, not $status"

say "done"
