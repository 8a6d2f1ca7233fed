package place

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/nearest"
)

// fileLimit is how much of a runtime's file is read, in bytes.
const fileLimit = 16 << 20

// running is a container or a pod that a runtime keeps.
type running struct {
	names []string // the first is what to call it
	id    string   // "" if it cannot be named by one
	place func() (Place, error)
}

// docker finds a container of Docker by its name or id, in the files of the daemon (config.v2.json of each container).
func (f finder) docker(name string) (Place, error) {
	data := "/var/lib/docker"
	var daemon struct {
		Root string `json:"data-root"`
	}
	if err := f.read("/etc/docker/daemon.json", &daemon); err == nil && daemon.Root != "" {
		data = daemon.Root
	}
	var found []running
	var lost unread
	folder := filepath.Join(data, "containers")
	paths, err := f.glob(folder, "*/config.v2.json")
	if err != nil {
		return Place{}, fmt.Errorf("read the containers of Docker: %w", err)
	}
	for _, path := range paths {
		var c struct {
			ID, Name string
			State    struct{ Pid int }
		}
		if err := f.read(path, &c); err != nil {
			if errors.Is(err, fs.ErrNotExist) { // it has been removed
				continue
			}
			lost.add(err)
			continue
		}
		found = append(found, running{names: []string{strings.TrimPrefix(c.Name, "/")}, id: c.ID,
			place: func() (Place, error) { return f.ofContainer(c.State.Pid, c.ID) }})
	}
	return choose(name, "container", found, lost)
}

// podman finds a container of Podman by its name or id, in the files of containers/storage: of the machine's for root,
// of their own for others.
func (f finder) podman(name string) (Place, error) {
	graph, run := "/var/lib/containers/storage", "/run/containers/storage"
	if os.Geteuid() != 0 {
		home, err := os.UserHomeDir()
		if err != nil {
			return Place{}, err
		}
		graph = filepath.Join(home, ".local/share/containers/storage")
		run = filepath.Join("/run/user", strconv.Itoa(os.Geteuid()), "containers")
	}
	lists, err := f.glob(graph, "*-containers/containers.json")
	if err != nil {
		return Place{}, fmt.Errorf("read the containers of Podman: %w", err)
	}
	var found []running
	var lost unread
	for _, list := range lists {
		var all []struct {
			ID    string   `json:"id"`
			Names []string `json:"names"`
		}
		if err := f.read(list, &all); err != nil {
			lost.add(err)
			continue
		}
		kept := filepath.Join(run, filepath.Base(filepath.Dir(list)))
		for _, c := range all {
			found = append(found, running{names: c.Names, id: c.ID, place: func() (Place, error) {
				return f.ofPIDFile(filepath.Join(kept, c.ID, "userdata/pidfile"), c.ID)
			}})
		}
	}
	return choose(name, "container", found, lost)
}

// Where runtimes of Kubernetes keep what they run, each container in a folder with its id: config.json of the OCI
// runtime specification, and beside it the file with the id of its process.
var bundles = []struct{ folder, bundle, pidFile string }{
	{"/run/containerd/io.containerd.runtime.v2.task/k8s.io", "", "init.pid"},
	{"/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io", "", "init.pid"},
	{"/run/containers/storage/overlay-containers", "userdata", "pidfile"}, // CRI-O
}

// pod finds a pod by NAMESPACE/NAME, in the annotations of its sandbox or of one of its containers: the file on which
// its namespace is mounted, or, of a pod in the network of the machine, the process of a container.
func (f finder) pod(name string) (Place, error) {
	if !strings.Contains(name, "/") {
		return Place{}, errors.New("want pod:NAMESPACE/NAME, such as pod:default/" + name)
	}
	pods := map[string][]func() (Place, error){} // by each of its containers
	var lost unread
	looked, refused := 0, error(nil)
	for _, kept := range bundles {
		paths, err := f.glob(kept.folder, filepath.Join("*", kept.bundle, "config.json"))
		if err != nil {
			if errors.Is(err, fs.ErrPermission) {
				refused = err
			}
			continue
		}
		looked++
		for _, path := range paths {
			var c struct {
				Annotations map[string]string
				Linux       struct{ Namespaces []struct{ Type, Path string } }
			}
			if err := f.read(path, &c); err != nil {
				if !errors.Is(err, fs.ErrNotExist) { // it has not just been removed
					lost.add(err)
				}
				continue
			}
			pod := podOf(c.Annotations)
			if pod == "" {
				continue
			}
			dir := filepath.Dir(path)
			id := filepath.Base(strings.TrimSuffix(dir, "/"+kept.bundle))
			pods[pod] = append(pods[pod], func() (Place, error) {
				for _, ns := range c.Linux.Namespaces {
					// A process in place of a file is that of the sandbox, and its own id tells no more than that.
					if ns.Type == "network" && ns.Path != "" && !process.MatchString(ns.Path) {
						return fileOf(filepath.Join(f.root, ns.Path))
					}
				}
				return f.ofPIDFile(filepath.Join(dir, kept.pidFile), id)
			})
		}
	}
	if looked == 0 && refused != nil {
		return Place{}, fmt.Errorf("read the pods: %w", refused)
	}
	if looked == 0 {
		return Place{}, errors.New("neither containerd nor CRI-O keeps pods here")
	}
	var found []running
	for pod, places := range pods {
		found = append(found, running{names: []string{pod}, place: func() (Place, error) { return anyOf(places) }})
	}
	return choose(name, "pod", found, lost)
}

// anyOf is the first place that there is: some containers of a pod may have ended.
func anyOf(places []func() (Place, error)) (p Place, err error) {
	for _, place := range places {
		if p, err = place(); err == nil {
			return p, nil
		}
	}
	return Place{}, err
}

// podOf is the pod in the annotations that containerd and CRI-O give what they run, "" for something else.
func podOf(annotations map[string]string) string {
	for _, keys := range [][2]string{
		{"io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri.sandbox-name"},
		{"io.kubernetes.pod.namespace", "io.kubernetes.pod.name"},
	} {
		if in, name := annotations[keys[0]], annotations[keys[1]]; in != "" && name != "" {
			return in + "/" + name
		}
	}
	return ""
}

// unread are files that could not be read, any of which may tell of what is looked for.
type unread struct {
	files int
	first error
}

func (u *unread) add(err error) {
	if u.files++; u.first == nil {
		u.first = err
	}
}

// choose chooses by name, or by the beginning of an id that no other has.
func choose(name, kind string, among []running, lost unread) (Place, error) {
	var byID []running
	var names []string
	for _, c := range among {
		if slices.Contains(c.names, name) {
			return c.place()
		}
		if c.id != "" && strings.HasPrefix(c.id, name) {
			byID = append(byID, c)
		}
		names = append(names, c.names...)
	}
	switch len(byID) {
	case 1:
		return byID[0].place()
	case 0:
		err := fmt.Errorf("there is no such %s%s", kind, nearest.DidYouMean(name, names))
		if lost.files > 0 {
			err = fmt.Errorf("%w; files that could not be read: %d, the first: %w", err, lost.files, lost.first)
		}
		return Place{}, err
	}
	return Place{}, fmt.Errorf("the ids of %d containers begin so", len(byID))
}

func (f finder) ofPIDFile(path, id string) (Place, error) {
	text, err := f.text(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f.ofContainer(0, id)
	}
	if err != nil {
		return Place{}, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return Place{}, fmt.Errorf("read %s: %w", path, err)
	}
	return f.ofContainer(pid, id)
}

// glob finds the files of a folder that match a pattern.
func (f finder) glob(folder, pattern string) ([]string, error) {
	folder = filepath.Join(f.root, folder)
	if _, err := os.ReadDir(folder); err != nil {
		return nil, err
	}
	paths, err := fs.Glob(os.DirFS(folder), pattern)
	for i := range paths {
		paths[i] = strings.TrimPrefix(filepath.Join(folder, paths[i]), strings.TrimSuffix(f.root, "/"))
	}
	return paths, err
}

func (f finder) read(path string, into any) error {
	text, err := f.text(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

func (f finder) text(path string) ([]byte, error) {
	file, err := os.Open(filepath.Join(f.root, path))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, fileLimit))
}
