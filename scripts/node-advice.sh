#!/bin/sh
# Prints, in one line, how to get Node.js 20.19 or newer and npm on this machine. The launcher asks it where there is none:
# it runs in any shell, without a single other program.
#
# usage: scripts/node-advice.sh [OS-RELEASE]    another file than /etc/os-release
set -eu

id=
version=
if [ -r "${1:-/etc/os-release}" ]; then
  while IFS='=' read -r key value; do
    value=${value#[\"\']}
    value=${value%[\"\']}
    case $key in
      ID) id=$value ;;
      VERSION_ID) version=$value ;;
    esac
  done <"${1:-/etc/os-release}"
fi
major=${version%%.*}
install="install it as root with"
# A build from nodejs.org needs no installation: it is unpacked and named.
unpack="unpack a build from https://nodejs.org/en/download and name its program: SANDBOX_DEPLOY_NODE=/opt/node/bin/node"
advice=$unpack
case $id in
  debian)
    case $major in
      [0-9] | 1[0-2]) advice="Debian $major packages an older one; $unpack" ;;
      *) advice="$install: apt install nodejs npm" ;;
    esac
    ;;
  ubuntu)
    # 25.10 is the first with 20.19.
    case $version in
      25.10 | 2[6-9].* | [3-9]?.*) advice="$install: apt install nodejs npm" ;;
      *) advice="Ubuntu $version packages an older one; $unpack" ;;
    esac
    ;;
  fedora) advice="$install: dnf install nodejs npm" ;;
  alpine) advice="$install: apk add nodejs npm" ;;
  arch) advice="$install: pacman -S nodejs npm" ;;
  rhel | centos | rocky | almalinux | ol)
    case $major in
      8 | 9) advice="$install: dnf module install nodejs:22" ;;
      *) advice="$install: dnf install nodejs npm" ;;
    esac
    ;;
esac
printf '%s\n' "$advice"
