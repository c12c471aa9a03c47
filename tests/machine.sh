# shellcheck shell=sh
# Minimal Debians of any suite, and commands in them: sourced by fresh.sh and
# packages.sh, in the checkout's folder, as root.
#
#   machine_mirror                         what machine_make begins with
#   machine_make SUITE FOLDER ?PACKAGES?   by debootstrap, from the mirror that
#                                          this machine's apt uses; PACKAGES
#                                          are separated by commas
#   machine_run FOLDER USER COMMAND        in that user's home
#   machine_end                            ends what machine_run is running
#
# One that fails says why in $machine_why. Mounts are made in a namespace of
# their own, so that none outlives its command. build/fresh-cache keeps what
# debootstrap downloaded.

machine_child=
machine_why=

# debootstrap, and in $mirror the archive behind this machine's packages. Its label
# tells it from the archive of security updates; before the first update it has
# none.
machine_mirror() {
  if ! command -v debootstrap >/dev/null; then
    echo "installing by apt-get: debootstrap"
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install \
      -y --no-install-recommends debootstrap >/dev/null; } ||
      { machine_why="debootstrap can't be had"; return 1; }
  fi
  mirror=$(apt-get indextargets --format '$(LABEL) $(SITE)' |
    sed -n 's/^Debian //p' | head -n 1)
  [ -n "$mirror" ] || mirror=$(apt-get indextargets --format '$(SITE)' |
    grep '/debian/*$' | head -n 1)
  machine_why="apt here has no archive of Debian (apt-get update?)"
  [ -n "$mirror" ]
}

machine_make() {
  machine_mirror || return
  mkdir -p build/fresh-cache "$2"
  debootstrap --variant=minbase ${3:+"--include=$3"} \
    --cache-dir="$(pwd)/build/fresh-cache" "$1" "$2" "$mirror" \
    >"$2.log" 2>&1 ||
    { tail -n 5 "$2.log"; machine_why="debootstrap failed"; return 1; }
  # The machine's way to the network: names, proxy, its own CA certificates.
  cp /etc/resolv.conf /etc/hosts "$2/etc/"
  apt-config dump | grep '^Acquire::' | grep -v -i 'Auto-Detect' \
    >"$2/etc/apt/apt.conf.d/90machine"
  for pem in /usr/local/share/ca-certificates/*.crt; do
    [ ! -f "$pem" ] || install -D -t "$2/usr/local/share/ca-certificates" \
      -m 644 "$pem"
  done
}

# Of the environment only the proxies are passed on.
machine_run() {
  machine_at=$1 machine_home=/home/$2
  [ "$2" != root ] || machine_home=/root
  set -- "$2" "$3" HOME="$machine_home"
  for name in $(env | sed -n 's/^\([A-Za-z]*_[Pp][Rr][Oo][Xx][Yy]\)=.*/\1/p'); do
    set -- "$@" "$name=$(eval "printf %s \"\$$name\"")"
  done
  # What runs in the namespace's first shell: $0 is the machine.
  # shellcheck disable=SC2016
  unshare --mount --pid --fork --kill-child sh -c '
    user=$1 command=$2
    shift 2
    mount --bind "$0" "$0" && cd "$0" && mount -t proc proc proc &&
      mount --rbind /dev dev && mount --rbind /sys sys &&
      mkdir -p .host && pivot_root . .host &&
      cd / && umount -l .host && rmdir .host || exit 1
    exec setpriv --reuid "$user" --regid "$user" --init-groups \
      env -i "$@" USER="$user" PATH=/usr/sbin:/usr/bin:/sbin:/bin \
      sh -c "cd && $command"' "$machine_at" "$@" </dev/null &
  machine_child=$!
  wait "$machine_child"
  set -- $?
  machine_child=
  return "$1"
}

# The namespace's first process takes all others and the mounts with it.
machine_end() {
  [ -z "$machine_child" ] ||
    { kill -KILL "$machine_child" 2>/dev/null; wait "$machine_child"; }
}
