#!/usr/bin/env bash
# Breaks the resolver on purpose, one rule at a time, and says which tests notice.
#
# Each line of the table names a rule, a file of resolver/src, and what is put in place of what (a perl substitution).
# Run from anywhere in the repository: resolver/tests/mutations.sh [words in a name]... It works on a copy of HEAD and
# takes a minute for each, and some more before the first. A mutation that nothing notices ends it with status 1.
set -u
root=$(git rev-parse --show-toplevel) || exit 2
copy=$(mktemp -d)/copy
git -C "$root" worktree add -q --detach "$copy" HEAD || exit 2
trap 'git -C "$root" worktree remove --force "$copy"' EXIT
# A target of its own: what is built from the copy would be taken for fresh by the tests of the tree itself.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/mutations
# Seconds for a test that takes one minute of a quiet machine.
PATIENCE=600
missed=0
only=("$@")

TESTS="small mvs universes packages"

build() { (cd "$copy" && cargo test -q --workspace --test "$1" --no-run) >"$copy.log" 2>&1; }

run() { (cd "$copy" && timeout "$PATIENCE" cargo test -q --workspace --test "$1") >"$copy.log" 2>&1; }

is_wanted() {
    [ ${#only[@]} -gt 0 ] || return 0
    local word
    for word in "${only[@]}"; do
        case $1 in *"$word"*) return 0 ;; esac
    done
    return 1
}

mutate() {
    local name=$1 file=resolver/src/$2 change=$3
    is_wanted "$name" || return
    git -C "$copy" checkout -q .
    perl -0pi -e "$change" "$copy/$file"
    if git -C "$copy" diff --quiet; then
        echo "STALE   $name: nothing in $file matches"
        missed=1
        return
    fi
    local test status
    for test in $TESTS; do
        if ! build "$test"; then
            echo "STALE   $name: it does not compile"
            missed=1
            return
        fi
        # What takes minutes to build says nothing about whether the test ends.
        run "$test" && continue
        status=$?
        if [ $status = 124 ]; then
            echo "caught  $name ($test, which doesn't end any more)"
        else
            echo "caught  $name ($test)"
        fi
        return
    done
    echo "MISSED  $name"
    missed=1
}

for test in $TESTS; do
    if ! { build "$test" && run "$test"; }; then
        cat "$copy.log"
        echo "nothing is broken yet, and $test fails"
        exit 2
    fi
done

mutate "graphs are pruned from 1.18 on" go_version.rs 's/EXPLICIT_INDIRECT: &str = "1.17"/EXPLICIT_INDIRECT: &str = "1.18"/'
mutate "the edge to go begins at 1.23" world.rs 's/(let is_strict = go_version::compare\(go, )go_version::STRICT/$1"1.23"/'
mutate "the edge to go comes first" world.rs 's/required\.iter\(\)\.copied\(\)\.chain\(\[edge\]\)/[edge].into_iter().chain(required.iter().copied())/'
mutate "an unpruned context is not inherited" module_graph.rs 's/if context == Pruning::Unpruned \{ Pruning::Unpruned \} else \{ summary\.pruning \}/summary.pruning/'
mutate "excludes are ignored" world.rs 's/if !self\.main\.excludes_nothing\(\) &&/if false \&\&/'
mutate "the fewest requirements are found forwards" mvs/requirements.rs 's/post_order\.iter\(\)\.rev\(\)/post_order.iter()/'
mutate "1.21 is 1.21.0" go_version.rs 's/\{ "" \} else \{ "0" \}/{ "0" } else { "0" }/'
mutate "a wildcard replacement counts before an exact one" main_modules.rs 's/replaces\.get_key_value\(&exact\)\.or_else\(\|\| replaces\.get_key_value\(&\(exact\.0, String::new\(\)\)\)\)/replaces.get_key_value(&(exact.0.clone(), String::new())).or_else(|| replaces.get_key_value(&exact))/'
mutate "modules of a workspace are not looked at again" module_graph.rs 's/pruning != Pruning::Workspace \|\| !self\.reload_selected\(world\)/true/'
mutate "roots stay below what is selected" requirements/update.rs 's/has_risen \|= selected != root/has_risen |= false/'
mutate "retractions are ignored" query.rs 's/None => Ok\(self\.retraction\(module\)\?\.disallows\(self\.nodes\(\)\.node\(module\)\)\)/None => Ok(None)/'
mutate "packages are looked for in the graph at once" import.rs 's/let mut graph = graph;/let mut graph = Some(graph.map_or_else(|| requirements.whole_graph(self), Ok)?);/'
mutate "tests of dependencies are left out of tidy" packages/walk.rs 's/\(rules\.loads_tests && new\.root\)/false/'
mutate "all is narrow before 1.16 too" go_version.rs 's/NARROW_ALL: &str = "1.16"/NARROW_ALL: &str = "1.10"/'
mutate "ignore directives are ignored" packages/pattern.rs 's/if ignores\.is_empty\(\)/if true/'
mutate "a test-only dependency never becomes a root" packages/tidy.rs 's/if is_below \{/if false {/'
mutate "get takes the first alternative" get/select.rs 's/set\.providers\.iter\(\)\.find\(was_there\)\.or\(set\.providers\.first\(\)\)/set.providers.last()/'
mutate "an absent version leaves packages possible" get/select.rs 's/if self\.none_for\(&node\.path\)\.is_some\(\)/if false/'
exit $missed
