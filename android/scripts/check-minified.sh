#!/bin/sh
# Tries the rules that applications take over (sdk/consumer-rules.pro): shrinks and renames the quick-start of the
# guide, the sdk, the generated code and JNA with ProGuard, and lets the two telephones call each other.
#
# R8 reads the same rules, and is not to be had without Google's repository. Needs what `cargo xtask test --only
# android` leaves in `target`, or another target folder as the first argument.
set -eu
cd "$(dirname "$0")/../.."
target=$(realpath "${1:-target}")
work=$target/android/minified
rm -rf "$work"
mkdir -p "$work"

cat > "$work/pom.xml" <<'POM'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>io.ringtrue</groupId><artifactId>minified</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>com.guardsquare</groupId><artifactId>proguard-base</artifactId><version>7.10.0</version>
    </dependency>
  </dependencies>
</project>
POM
class_path() { # of a project, one line
    mvn --batch-mode --quiet --file "$1" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath \
        -Dmdep.outputFile="$2"
}
class_path "$work/pom.xml" "$work/proguard.path"
class_path "$target/android/quick-start/pom.xml" "$work/application.path"

kept=
{
    echo "-injars $target/android/quick-start/target/classes"
    for jar in $(tr ':' ' ' < "$work/application.path"); do
        case $jar in
            */ringtrue-*|*/jna-*) echo "-injars $jar(!META-INF/**)" ;;
            *) echo "-libraryjars $jar" ;;
        esac
    done
    home=$(java -XshowSettings:properties -version 2>&1 | sed -n 's/ *java.home = //p')
    for module in java.base java.desktop java.logging; do
        echo "-libraryjars $home/jmods/$module.jmod(!**.jar;!module-info.class)"
    done
    echo "-outjars $work/small.jar"
    echo "-keep class FirstCallKt { void main(...); }"
    echo "-dontwarn android.**"
    echo "-dontnote"
    echo "-repackageclasses ''"
    echo "-allowaccessmodification"
    cat android/sdk/consumer-rules.pro
} > "$work/rules.pro"
java -Xmx1g -cp "$(cat "$work/proguard.path")" proguard.ProGuard "@$work/rules.pro"

for jar in $(tr ':' ' ' < "$work/application.path"); do
    case $jar in
        */ringtrue-*) ;;
        # For the native part of JNA alone: the shrunk classes come first.
        *) kept=$kept:$jar ;;
    esac
done
lab=$work/lab
"$target/debug/ringtrue" lab init "$lab" --number 12025550143 --number 12025550199 > "$work/lab.out"
"$target/debug/ringtrue" cps serve --lab "$lab" --listen 127.0.0.1:0 > "$work/serving" &
service=$!
trap 'kill $service' EXIT
until grep -q https "$work/serving"; do
    kill -0 "$service"
    sleep 0.1
done
url=$(grep -o 'https://[^ ]*' "$work/serving" | head -n 1)
java -Djna.library.path="$target/bindings/kotlin" -cp "$work/small.jar$kept" FirstCallKt "$lab" "$url" |
    tee "$work/said"
grep -q 'verified: +12025550143' "$work/said"
