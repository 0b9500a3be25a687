#!/usr/bin/env bash
# A Java peer: builds a small grpc-java Batch Server from our protos with Debian's packages, lets `brine stream` push all
# three domains into it, typed and as JSON, lets its pulling side ask `brine serve`, and compares every value that Java saw.
#
#   scripts/peers/java.sh BRINE PYTHON [BUILD_FOLDER]
#
# BRINE is the binary (or `python`: the Python client pushes instead, a check of this script alone), PYTHON an interpreter
# that has pandas, grpcio and grpcio-tools. Missing packages are installed with apt-get, as root or through sudo; when they
# cannot be had, this fails.
set -euo pipefail
case "${1:-}" in -h | --help | "") sed -n '2,9s/^# \{0,1\}//p' "$0"; exit $(( $# == 0 ? 2 : 0 )) ;; esac

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
brine=$1 python=$2 build=${3:-$root/target/peers/java}

packages=(openjdk-17-jdk-headless protobuf-compiler protobuf-compiler-grpc-java-plugin libgrpc-java libprotobuf-java
  libnetty-java libperfmark-java libguava-java libgeronimo-annotation-1.3-spec-java)
jars=(grpc-api grpc-context grpc-core grpc-stub grpc-protobuf grpc-protobuf-lite grpc-netty protobuf guava perfmark-api
  geronimo-annotation-1.3-spec netty-buffer netty-codec netty-codec-http netty-codec-http2 netty-codec-socks netty-common
  netty-handler netty-handler-proxy netty-resolver netty-transport netty-transport-native-unix-common
  netty-transport-native-epoll)

missing() {
  for tool in javac java protoc grpc_java_plugin; do command -v "$tool" >/dev/null || { echo "$tool"; return; }; done
  for jar in "${jars[@]}"; do [ -e "/usr/share/java/$jar.jar" ] || { echo "$jar.jar"; return; }; done
}

install_packages() {
  local as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo -n)
  command -v apt-get >/dev/null || return 1
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get update -qq >"$build/apt.log" 2>&1
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >>"$build/apt.log" 2>&1
}

mkdir -p "$build"
if [ -n "$(missing)" ]; then
  echo "java peer: $(missing) is missing; installing Debian's packages"
  install_packages || true
  if [ -n "$(missing)" ]; then
    echo "JAVA PEER NOT RUN: $(missing) is missing and could not be installed. It needs: ${packages[*]}" >&2
    [ -e "$build/apt.log" ] && tail -5 "$build/apt.log" >&2
    exit 1
  fi
fi

classpath=$(printf "/usr/share/java/%s.jar:" "${jars[@]}")
rm -rf "$build/generated" "$build/classes" "$build/rows"
mkdir -p "$build/generated" "$build/classes" "$build/rows"
protoc --plugin=protoc-gen-grpc-java="$(command -v grpc_java_plugin)" -I"$root/proto" --java_out="$build/generated" \
  --grpc-java_out="$build/generated" embedding_stream.proto embedding_stream_json.proto
find "$build/generated" "$here/java" -name '*.java' >"$build/sources"
javac -nowarn -Xlint:none -cp "$classpath" -d "$build/classes" "@$build/sources" 2>"$build/javac.log" \
  || { cat "$build/javac.log" >&2; exit 1; }

exec "$python" "$here/java_rows.py" --brine "$brine" --rows "$build/rows" -- \
  java -cp "$build/classes:$classpath" BatchServer "$build/rows"
