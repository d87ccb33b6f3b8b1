#!/usr/bin/env bash
# Unpack a Debian for 64-bit ARM, as far as Python needs one, into a folder: tests/arm/root.sh FOLDER
#
# It is never booted or entered: QEMU is told to look for files there (qemu-aarch64-static -L FOLDER). So neither
# root's rights nor binfmt_misc nor a foreign architecture in the system's dpkg is needed; apt runs with a state
# of its own. Python 3.11 and glibc 2.36 are those of Raspberry Pi OS 12.
set -euo pipefail

mirror=${MIRROR:-http://deb.debian.org/debian}
release=bookworm
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
packages=(python3.11 libstdc++6)

missing=()
command -v qemu-aarch64-static >/dev/null || missing+=(qemu-user-static)
command -v apt-get >/dev/null || missing+=(apt)
command -v dpkg-deb >/dev/null || missing+=(dpkg)
test -e "$keyring" || missing+=(debian-archive-keyring)
if ((${#missing[@]})); then
    echo "error: needs packages of the system: apt install ${missing[*]}" >&2
    exit 1
fi

root=$(realpath -m "${1:?folder to unpack into}")
apt=$(mktemp -d)
trap 'rm -rf "$apt"' EXIT
mkdir -p "$apt"/{etc/apt.conf.d,etc/preferences.d,lists,cache}
touch "$apt/status"
echo "deb [signed-by=$keyring] $mirror $release main" >"$apt/etc/sources.list"
cat >"$apt/apt.conf" <<END
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Install-Recommends "false";
# Started by root, apt would hand the download to a user who may not write here.
APT::Sandbox::User "";
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Dir::Etc "$apt/etc";
END
export APT_CONFIG=$apt/apt.conf
apt-get -qq update
apt-get -qq --yes --download-only install "${packages[@]}"

rm -rf "$root"
mkdir -p "$root"
for package in "$apt"/cache/archives/*.deb; do
    dpkg-deb --extract "$package" "$root"
done
mkdir -p "$root/proc"
