package place

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	wanted = "4f1c0a3f9d2be07d55a1c9be21f7a0c2b86ee3d6c4f8d1b5a0e97263cd4418aa"
	other  = "9e77b1d60c55d0aa42fe3b918c6d07f4a1be52c03d8894e6b7205fac31d9e0f1"
)

// TestInGroupOf has the control groups that Docker, Podman, containerd and CRI-O give their containers, with systemd or
// by themselves, and those of others.
func TestInGroupOf(t *testing.T) {
	const ID = wanted
	pod := "kubepods-burstable-pod3b7d8e9c_22a1.slice"
	for groups, want := range map[string]bool{
		"0::/system.slice/docker-" + ID + ".scope":                                                true,
		"0::/docker/" + ID:                                                                        true,
		"0::/system.slice/docker-" + ID + ".scope/init.scope":                                     true,
		"0::/../../docker-" + ID + ".scope":                                                       true, // from elsewhere
		"12:pids:/docker/" + ID + "\n1:name=systemd:/docker/" + ID + "\n0::/":                     true,
		"11:cpu,cpuacct:/user.slice\n1:name=systemd:/docker/" + ID:                                true,
		"0::/machine.slice/libpod-" + ID + ".scope/container":                                     true,
		"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + ID + ".scope":     true,
		"0::/libpod_parent/libpod-" + ID:                                                          true,
		"0::/system.slice/web.service/libpod-payload-" + ID:                                       true,
		"0::/kubepods/besteffort/pod3b7d8e9c-22a1/" + ID:                                          true,
		"0::/kubepods.slice/kubepods-burstable.slice/" + pod + "/cri-containerd-" + ID + ".scope": true,
		"1:name=systemd:/system.slice/k3s.service/" + pod + ":cri-containerd:" + ID:               true,
		"0::/kubepods.slice/kubepods-burstable.slice/" + pod + "/crio-" + ID + ".scope":           true,
		"0::/kubepods/burstable/pod3b7d8e9c-22a1/crio-" + ID:                                      true,
		"0::/system.slice/docker-" + other + ".scope":                                             false,
		"0::/user.slice/user-1000.slice/session-2.scope":                                          false,
		"0::/": false, // from its own namespace
		"":     false,
		"0::/machine.slice/libpod-conmon-" + ID + ".scope": false,
		"0::/system.slice/crio-conmon-" + ID + ".scope":    false,
		"0::/docker/" + ID + "0":                           false,
		"0::/docker/0" + ID:                                false,
	} {
		if got := inGroupOf(groups+"\n", ID); got != want {
			t.Errorf("%v for %s", got, groups)
		}
	}
}

// TestSupervises has the command lines of the parents of containers, and of others.
func TestSupervises(t *testing.T) {
	for command, want := range map[string]bool{
		"/usr/bin/containerd-shim-runc-v2 -namespace moby -id " + wanted + " -address /run/containerd/containerd.sock": true,
		"/usr/bin/conmon --api-version 1 -c " + wanted + " -u " + wanted + " -r /usr/bin/crun":                         true,
		"/usr/bin/containerd-shim-runc-v2 -namespace moby -id " + other:                                                false,
		"docker exec " + wanted + " sh": false,
		"/usr/bin/conmon -c":            false,
		"":                              false,
	} {
		if got := supervises(strings.ReplaceAll(command, " ", "\x00")+"\x00", wanted); got != want {
			t.Errorf("%v for %s", got, command)
		}
	}
}

// TestAPidThatIsSomebodyElses: files of the runtimes may name a process that is not the container's any more. It is
// never taken for it; a supervisor above it, or an id in its control group, shows that it is.
func TestAPidThatIsSomebodyElses(t *testing.T) {
	root := t.TempDir()
	pid := os.Getpid()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	of := func(file, text string) { write(filepath.Join("proc", strconv.Itoa(pid), file), text) }
	write("var/lib/docker/containers/"+wanted+"/config.v2.json",
		`{"ID":"`+wanted+`","Name":"/web","State":{"Pid":`+strconv.Itoa(pid)+`}}`)
	task := "run/containerd/io.containerd.runtime.v2.task/k8s.io/" + wanted
	write(task+"/config.json", `{"annotations":{"io.kubernetes.cri.sandbox-name":"proxy",
		"io.kubernetes.cri.sandbox-namespace":"kube-system"},"linux":{"namespaces":[{"type":"pid"}]}}`)
	write(task+"/init.pid", strconv.Itoa(pid))
	write("proc/1/cmdline", "/sbin/init\x00")
	of("status", "Name:\tsleep\nPPid:\t1\n")
	looked := func(found bool) {
		t.Helper()
		for name, look := range map[string]func(string) (Place, error){"web": finder{root}.docker,
			"kube-system/proxy": finder{root}.pod} {
			p, err := look(name)
			if found && (err != nil || p.PID != pid || p.Inode == 0) {
				t.Errorf("%s: %+v, %v", name, p, err)
			}
			if !found && (err == nil || !strings.Contains(err.Error(), "whether it runs cannot be told")) {
				t.Errorf("%s: %+v, %v", name, p, err)
			}
		}
	}
	of("cgroup", "0::/system.slice/ssh.service\n")
	looked(false)
	of("cgroup", "0::/system.slice/docker-"+other+".scope\n")
	looked(false)
	of("cgroup", "0::/system.slice/docker-"+wanted+".scope\n")
	looked(true)
	of("cgroup", "0::/\n")
	looked(false)
	write("proc/1/cmdline", "containerd-shim-runc-v2\x00-namespace\x00moby\x00-id\x00"+wanted+"\x00")
	looked(true)
	of("status", "Name:\tsleep\nPPid:\t0\n") // the parent is outside the namespace of processes
	looked(false)
}

// TestAPidThatIsGone: a process that has ended is no container that runs.
func TestAPidThatIsGone(t *testing.T) {
	for _, pid := range []int{0, 99999999} {
		if _, err := (finder{"/"}).ofContainer(pid, wanted); err == nil || err.Error() != "it does not run" {
			t.Errorf("process %d: %v", pid, err)
		}
	}
}
