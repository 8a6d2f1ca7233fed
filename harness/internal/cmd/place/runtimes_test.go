package place

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDamagedFiles: a damaged file of one container does not hide the others, and is told where it may be of the one
// that is not found.
func TestDamagedFiles(t *testing.T) {
	root := t.TempDir()
	for path, text := range map[string]string{
		"var/lib/docker/containers/0a/config.v2.json":                            `{"ID":"0a","Na`,
		"var/lib/docker/containers/0b/config.v2.json":                            `{"ID":"0b","Name":"/web"}`,
		"run/containerd/io.containerd.runtime.v2.task/k8s.io/0c/config.json":     "",
		"run/containers/storage/overlay-containers/0d/userdata/config.json":      `{"annotations":7}`,
		"run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/0e/config.json": `{}`,
	} {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	f := finder{root}
	for _, c := range []struct {
		look       func(string) (Place, error)
		name, want string
	}{
		{f.docker, "web", "it does not run"},
		{f.docker, "db", "there is no such container; files that could not be read: 1, the first: read /var/lib/docker/"},
		{f.pod, "default/db", "there is no such pod; files that could not be read: 2, the first: read /run/containerd/"},
	} {
		if p, err := c.look(c.name); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v", c.name, p, err)
		}
	}
}
