# Runs a command in a root file system of its own, to which it cannot write, in the mount namespace
# of this process.
#
#   container.sh ROOT BINDS COMMAND [ARGUMENT…]
#
# BINDS has lines FROM:TO:ro or FROM:TO:rw, where FROM is a file or a folder of the system.
set -euo pipefail

root=$1
binds=$2
shift 2
mkdir -p "$root"
mount --bind "$root" "$root"
while IFS=: read -r from to mode; do
  if [ -d "$from" ]; then
    mkdir -p "$root$to"
  else
    mkdir -p "$root${to%/*}"
    : >"$root$to"
  fi
  mount --rbind "$from" "$root$to"
  [ "$mode" = rw ] || mount -o remount,bind,ro "$root$to"
done <<<"$binds"
mount -o remount,bind,ro "$root"
user=()
# In a namespace of a user who is not root, there are no other users.
[ "$(cat /proc/self/uid_map | tr -s ' ' | cut -d ' ' -f 4)" = 1 ] || user=("--userspec=$POD_USER:$POD_USER" "--groups=$POD_USER")
exec chroot "${user[@]}" "$root" "$@"
