package main_test

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestClosedFolder: the root of a sandbox, an unprivileged user outside, need not have access to the folder in which
// the harness is started.
func TestClosedFolder(t *testing.T) {
	needSandbox(t)
	dir := write(t, map[string]string{"good.md": strings.Replace(good, "ip netns add testns\n",
		"ip netns add testns\n$ sh -c 'cd $PWD && ls'\n", 1)})
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	harness(t, dir, "run", "good.md", "--driver", "netlink").want(t, 0, "3 cases: 3 passed")
	if files := files(t, dir); !slices.Equal(files, []string{"good.md", "results/junit.xml", "results/results.json"}) {
		t.Errorf("the files of the folder are %q", files)
	}
}
