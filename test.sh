#!/bin/bash
# Installs and builds what is missing, then runs every test there is. The last line counts them; the status is 0 only when
# every suite ran and nothing failed. Options: --no-install as for start.sh; names of suites to run only those.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

all_suites=(api-document unit oracle extension-types extension dependencies integration stack viewer)
work=$PWD/.state/test
setup=(--setup-only --test-packages)
suites=()
for argument; do
    case $argument in
        --no-install) setup+=("$argument") ;;
        *)
            [[ " ${all_suites[*]} " == *" $argument "* ]] || { echo "test.sh: no suite is called $argument; there are: ${all_suites[*]}" >&2; exit 2; }
            suites+=("$argument")
            ;;
    esac
done
((${#suites[@]})) || suites=("${all_suites[@]}")
wanted() { [[ " ${suites[*]} " == *" $1 "* ]]; }

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 CI=1 FORCE_COLOR=0 NO_COLOR=1

# Usage: suite NAME SECONDS COUNT COMMAND…: COUNT prints "passed failed skipped" from what the command left behind. A suite
# that ends with a fault, in time or not, without one failed test, or that ran no test at all, counts as one failure.
suite() {
    local name=$1 limit=$2 count=$3 log=$work/$1.log status=0 begun=$SECONDS numbers reason='' passed failed skipped
    shift 3
    wanted "$name" || return 0
    timeout -k 20 "$limit" "$@" >"$log" 2>&1 </dev/null || status=$?
    numbers=$("$count" "$name" 2>>"$log") || numbers='0 0 0'
    read -r passed failed skipped <<<"$numbers"
    if ((status == 124 || status == 137)); then reason="was stopped after $limit seconds"
    elif ((passed + failed == 0)); then reason="ran no test (status $status)"
    elif ((status != 0 && failed == 0)); then reason="ended with status $status"
    fi
    [[ ! $reason ]] || failed=$((failed + 1))
    echo "$passed $failed $skipped" >"$work/$name.counts"
    echo "$name: $passed passed, $failed failed, $skipped skipped in $((SECONDS - begun)) s${reason:+ ($reason)}"
    ((failed == 0)) || { echo "the end of $log:"; tail -n 60 "$log"; }
    ((skipped == 0)) || grep -Ei 'skip|SKIP' "$log" | head -n 20
}

# --- how each tool counts ---
json() { node -p "const r = JSON.parse(fs.readFileSync(process.argv[1])); $2" "$1"; }
one() { [[ ! -e $work/$1.ok ]] || echo 1 0 0; }
# shellcheck disable=SC2016 # the dollars belong to JavaScript
dotnet_count() {
    node -p 'const c = /<Counters [^>]*>/.exec(fs.readFileSync(process.argv[1]))[0], n = (k) => Number(new RegExp(` ${k}="(\\d+)"`).exec(c)[1]);
        const failed = n("failed") + n("error") + n("timeout") + n("aborted"); [n("passed"), failed, n("total") - n("passed") - failed].join(" ")' "$work/$1.trx"
}
vitest_count() { json "$work/$1.json" '[r.numPassedTests, Math.max(r.numFailedTests, r.numFailedTestSuites), r.numPendingTests + r.numTodoTests].join(" ")'; }
# shellcheck disable=SC2016
playwright_count() {
    local part
    for part in masks findings two-persons; do
        json "tests/viewer/test-results/$part.json" '[r.stats.expected, r.stats.unexpected + r.stats.flaky + r.errors.length, r.stats.skipped].join(" ")' || echo '0 1 0'
    done | awk '{ p += $1; f += $2; s += $3 } END { print p, f, s }'
}
node_count() {
    awk '/^# (pass|fail|cancelled|skipped|todo) [0-9]+$/ { n[$2] = $3 } END { print n["pass"] + 0, n["fail"] + n["cancelled"], n["skipped"] + n["todo"] }' "$work/$1.log"
}
python_count() {
    awk '/^Ran [0-9]+ test/ { ran = $2 } match($0, /failures=[0-9]+/) { f = substr($0, RSTART + 9, RLENGTH - 9) } match($0, /errors=[0-9]+/) { e = substr($0, RSTART + 7, RLENGTH - 7) }
        match($0, /skipped=[0-9]+/) { s = substr($0, RSTART + 8, RLENGTH - 8) } END { print ran - f - e - s, f + e, s + 0 }' "$work/$1.log"
}

# --- the suites that are more than one command ---
# The build has just written the document: it must be the one that is kept in the repository.
api_document() {
    [[ $document == "$(sha256sum sidecar/Sidecar/openapi.json)" ]] || { echo 'sidecar/Sidecar/openapi.json was out of date: keep what the build wrote.'; return 1; }
    touch "$work/api-document.ok"
}
extension_types() { npm --prefix ohif-extension run typecheck && npm --prefix tests/viewer run typecheck && touch "$work/extension-types.ok"; }
dotnet_test() { dotnet test "$2" -c Release --no-build --logger "trx;LogFileName=$1.trx" --results-directory "$work"; }
# Three parts, one after the other, each with a stack of its own: what their sidecars differ in are settings of the whole. The stacks start together, which is mostly waiting.
viewer() {
    local part status=0
    declare -gA stacks=() urls=() orthancs=()
    local ports
    read -ra ports < <(node --input-type=module -e "import { freePorts } from './tests/stack/stack.mjs'; console.log((await freePorts(15)).join(' '))")
    trap 'kill -TERM "${stacks[@]}" 2>/dev/null; wait' EXIT
    SIDECAR_Scans__Enabled=false start_viewer_stack masks "${ports[@]:0:5}"
    SIDECAR_Reviews__HoldUntilFinalized=true start_viewer_stack findings "${ports[@]:5:5}"
    SIDECAR_Scans__Enabled=false SIDECAR_MaskJobs__TwoPersonApproval=true start_viewer_stack two-persons "${ports[@]:10:5}"
    for part in masks findings two-persons; do test_viewer_part "$part" || status=1; done
    return "$status"
}
start_viewer_stack() {
    local part=$1 options=(--no-install --no-demo --data "$work/viewer-$1") name
    shift
    urls[$part]=http://127.0.0.1:$1 orthancs[$part]=http://127.0.0.1:$2
    for name in --port --orthanc-port --dicom-port --sidecar-port --idp-port; do
        options+=("$name" "$1")
        shift
    done
    ./start.sh "${options[@]}" >"$work/viewer-$part.log" 2>&1 &
    stacks[$part]=$!
}
test_viewer_part() {
    local status=0
    until [[ -e $work/viewer-$1/ready ]]; do
        kill -0 "${stacks[$1]}" 2>/dev/null || { echo "the stack of $1 did not start:"; cat "$work/viewer-$1.log"; return 1; }
        sleep 0.5
    done
    SIDECAR_TEST_PART=$1 SIDECAR_TEST_STATE=$work/viewer-$1 SIDECAR_TEST_URL=${urls[$1]} SIDECAR_TEST_ORTHANC_URL=${orthancs[$1]} npm --prefix tests/viewer test || status=1
    kill -TERM "${stacks[$1]}"
    wait "${stacks[$1]}"
    unset "stacks[$1]"
    return "$status"
}
export -f api_document extension_types dotnet_test viewer start_viewer_stack test_viewer_part
export work document

rm -rf "$work" tests/viewer/test-results
mkdir -p "$work"
document=$(sha256sum sidecar/Sidecar/openapi.json)
# Everything is built at once; installing mostly waits.
faults=()
if wanted viewer || wanted extension-types; then
    timeout 300 npm --prefix tests/viewer ci --no-audit --no-fund >"$work/npm.log" 2>&1 </dev/null &
    npm=$!
fi
if wanted unit || wanted integration; then setup+=(--build-tests); fi
./start.sh "${setup[@]}" || { [[ ! ${npm-} ]] || wait "$npm"; echo '0 passed, 1 failed'; exit 1; }
[[ ! ${npm-} ]] || wait "$npm" || faults+=("installing the browser tests failed: $work/npm.log")

suite api-document 10 one bash -c api_document
suite unit 480 dotnet_count bash -c 'dotnet_test unit tests/Sidecar.Tests'
# Integration mostly waits for servers; the small suites fit beside it. The browsers need the processors for themselves.
suite integration 700 dotnet_count bash -c 'dotnet_test integration tests/Sidecar.Integration' >"$work/integration.said" &
integration=$!
suite oracle 120 python_count /usr/bin/python3 tests/oracle/test_compare.py
suite extension-types 180 one bash -c extension_types
suite extension 180 vitest_count npm --prefix ohif-extension test -- --reporter=json --outputFile="$work/extension.json"
suite dependencies 60 node_count node --test --test-reporter=tap tests/dependencies
suite stack 300 node_count node --test --test-reporter=tap --test-concurrency=1 tests/stack
wait "$integration"
cat "$work/integration.said"
suite viewer 900 playwright_count bash -c viewer

p=0 f=${#faults[@]} s=0
for name in "${suites[@]}"; do
    read -r passed failed skipped <"$work/$name.counts" || { faults+=("$name left no count behind"); f=$((f + 1)); continue; }
    p=$((p + passed)) f=$((f + failed)) s=$((s + skipped))
done
echo
((${#faults[@]} == 0)) || printf '%s\n' "${faults[@]}"
echo "took $((SECONDS / 60)) min $((SECONDS % 60)) s"
line="$p passed, $f failed"
((s == 0)) || line+=", $s skipped"
echo "$line"
((f == 0))
