package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"netnscheck/harness/diagnose"
	"netnscheck/harness/term"
)

// mended is aPair with both ends up.
const mended = aPair + "ip -n testns link set vnic-testns up; ip link set lo up\n"

// chain is three routers in a row between two ends, the last of which does not forward.
const chain = `for n in a r1 r2 r3 b; do ip netns add $n; ip -n $n link set lo up; done; ip link set lo up
cable() { ip link add $2 netns $1 type veth peer name $5 netns $4
ip -n $1 addr add $3 dev $2; ip -n $4 addr add $6 dev $5; ip -n $1 link set $2 up; ip -n $4 link set $5 up; }
cable a e1 10.1.0.2/24 r1 w1 10.1.0.1/24; cable r1 e2 10.2.0.1/24 r2 w2 10.2.0.2/24
cable r2 e3 10.3.0.1/24 r3 w3 10.3.0.2/24; cable r3 e4 10.4.0.1/24 b w4 10.4.0.2/24
for n in r1 r2; do ip netns exec $n sysctl -qw net.ipv4.ip_forward=1; done
ip -n a route add default via 10.1.0.1; ip -n r1 route add default via 10.2.0.2; ip -n b route add default via 10.4.0.1
ip -n r2 route add 10.4.0.0/24 via 10.3.0.2; ip -n r2 route add 10.1.0.0/24 via 10.2.0.1
ip -n r3 route add default via 10.3.0.1
`

func TestDiagnose(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	onMachine(t, dir, aPair, "diagnose", "--from", "prodns", "--to", "192.168.2.103").want(t, 1,
		"prodns does not reach 192.168.2.103\n", "(stopped here)", "\ncause     peer-down: vnic-testns in testns\n",
		"\nevidence  ip -n testns link show dev vnic-testns: ",
		"\nrepair    ip -n testns link set vnic-testns up\n", "\nmore      harness explain peer-down\n")
	onMachine(t, dir, aPair, "diagnose", "--from", "testns", "--to", "192.168.2.102").want(t, 1,
		"cause     link-down: vnic-testns in testns\n")
	onMachine(t, dir, aPair, "diagnose", "--from", "prodnss", "--to", "192.168.2.103").want(t, 1,
		"cause     no-namespace: prodnss", "the nearest name is prodns")
	onMachine(t, dir, mended, "diagnose", "--from", "prodns", "--to", "192.168.2.103").want(t, 0,
		"nothing keeps prodns from reaching 192.168.2.103\n", "  <- testns  vnic-testns  ")
	onMachine(t, dir, mended, "diagnose", "--from", "prodns", "--to", "192.168.2.103", "--tcp", "80").want(t, 1,
		"on TCP port 80", "cause     not-listening: testns", "\nadvice    start the service on 192.168.2.103:80 ")
	onMachine(t, dir, mended, "diagnose", "--from", "prodns", "--to", "192.168.2.103", "--size", "1473").want(t, 1,
		"with 1473 bytes of data", "cause     mtu-exceeded: vnix-prodns in prodns")
	onMachine(t, dir, chain, "diagnose", "--from", "a", "--to", "10.4.0.2").want(t, 1, "  -> r1  ", "  -> r2  ",
		"  ×  r3  ", "cause     forwarding-off: r3")
	// testns has no route back to it
	second := mended + "ip -n prodns link set lo up; ip -n prodns addr add 10.9.9.1/32 dev lo\n"
	onMachine(t, dir, second, "diagnose", "--from", "prodns", "--to", "192.168.2.103", "--source", "10.9.9.1",
		"--probe").want(t, 1,
		"prodns reaches 192.168.2.103 from 10.9.9.1, but the reply does not come back\n",
		"cause     no-route (on the way back): testns\n", "\nprobe     no reply")
	onMachine(t, dir, second, "diagnose", "--from", "prodns", "--to", "192.168.2.103", "--source", "10.9.9.2").want(t,
		3, "from 10.9.9.2, which is no address of prodns")
}

// TestDiagnoseDatagram: a socket of UDP takes a datagram, one of TCP does not.
func TestDiagnoseDatagram(t *testing.T) {
	needPrograms(t, "python3")
	t.Parallel()
	const serves = mended + `mkfifo ready; ip netns exec testns python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.168.2.103", 5353))
open("ready", "w").close()
time.sleep(600)' >/dev/null 2>&1 & cat ready
`
	ask := []string{"diagnose", "--from", "prodns", "--to", "192.168.2.103", "--udp"}
	onMachine(t, t.TempDir(), serves, append(ask, "5353")...).want(t, 0,
		"nothing keeps prodns from reaching 192.168.2.103 on UDP port 5353\n")
	onMachine(t, t.TempDir(), serves, append(ask, "5354")...).want(t, 1, "cause     not-listening: testns",
		"\nevidence  ip netns exec testns ss -lun: nothing on that port\n")
}

// TestDiagnoseMatrix: the table has a row and a column for each namespace with an address, and a letter for each cause.
func TestDiagnoseMatrix(t *testing.T) {
	t.Parallel()
	onMachine(t, t.TempDir(), mended, "diagnose", "--matrix").want(t, 0,
		"each of the 2 namespaces reaches every other one\n", "\n1 prodns 192.168.2.102  · ✓\n2 testns 192.168.2.103  ✓ ·\n",
		"\nleft out  without an address: host\n")
	onMachine(t, t.TempDir(), chain, "diagnose", "--matrix").want(t, 1, "\n1 a  10.1.0.2  · a ✓ ✓ ✓\n",
		"cause     forwarding-off: r3\n")
}

// TestDiagnoseProbe: the answer to one packet is printed with the diagnosis, which it confirms.
func TestDiagnoseProbe(t *testing.T) {
	dir := t.TempDir()
	onMachine(t, dir, mended, "diagnose", "--from", "prodns", "--to", "192.168.2.103", "--probe").want(t, 0,
		"\nprobe     reply in ")
	c := onMachine(t, dir, aPair, "diagnose", "--from", "prodns", "--to", "192.168.2.103", "--probe")
	c.want(t, 1, "\nprobe     ", "cause     peer-down")
	if strings.Contains(c.stdout, "not what the state says") {
		t.Errorf("the probe contradicts:\n%s", c.stdout)
	}
	onMachine(t, dir, mended, "diagnose", "--from", "prodns", "--to", "192.168.2.103", "--tcp", "80", "--probe").want(t,
		1, "cause     not-listening", "refused")
	onMachine(t, dir, mended, "diagnose", "--probe").want(t, 2)
	onMachine(t, dir, mended, "diagnose", "--from", "prodns", "--to", "192.168.2.103", "--probe", "--json").want(t, 0,
		"\"answered\": true")
}

func TestDiagnoseReview(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := onMachine(t, dir, aPair, "diagnose")
	c.want(t, 1, "cause     half-up: vnic-testns in testns\n")
	onMachine(t, dir, mended, "diagnose").want(t, 0, "nothing looks wrong\n")
	onMachine(t, dir, mended+"ip -n prodns link set lo down\n", "diagnose").want(t, 0, "nothing looks wrong\n",
		"remark    loopback-down: lo in prodns")
	waiting := mended + "ip link add br0 type bridge stp_state 1; ip link set br0 up\n" +
		"ip link add p1 type veth peer name eth1 netns prodns; ip -n prodns link set eth1 up; ip link set p1 master " +
		"br0 up\n"
	onMachine(t, dir, waiting, "diagnose").want(t, 0, "nothing looks wrong\n", "remark    port-blocked: p1 in host")
	onMachine(t, dir, mended+"touch /run/netns/stale\n", "diagnose").want(t, 1, "cause     not-a-namespace: stale\n")

	c = onMachine(t, dir, aPair, "diagnose", "--json")
	c.want(t, 1)
	var review struct {
		Causes []diagnose.Cause
		Unread []string
	}
	if err := json.Unmarshal([]byte(c.stdout), &review); err != nil || len(review.Causes) == 0 || review.Unread == nil {
		t.Errorf("%v: %+v of\n%s", err, review, c.stdout)
	}
}

// TestDiagnoseStrangeNames: the output is printable, whatever bytes a name has.
func TestDiagnoseStrangeNames(t *testing.T) {
	dir := t.TempDir()
	strange := "n=$(printf 'b\\377\\033[31m\\nx'); ip netns add \"$n\"; ip link add v0 type veth peer name v1 netns " +
		"\"$n\"; ip addr add 10.0.0.1/24 dev v0; ip link set v0 up"
	for _, args := range [][]string{{"diagnose"}, {"diagnose", "--json"},
		{"diagnose", "--from", "host", "--to", "10.0.0.2"}, {"map"}, {"map", "--json"}} {
		c := onMachine(t, dir, strange, args...)
		if text := c.stdout + c.stderr; term.Printable(text) != text || strings.ContainsRune(text, '\ufffd') ||
			!strings.Contains(text, `b\xff\x1b[31m\x0ax`) && !strings.Contains(text, `b\\xff\\x1b[31m\\x0ax`) {
			t.Errorf("%s: %q", args, text)
		}
	}
}

// TestDiagnoseAProcess: the unnamed namespace of a process can be diagnosed.
func TestDiagnoseAProcess(t *testing.T) {
	dir := t.TempDir()
	// A PID namespace, so that the process ends with the harness.
	asked := func(prepare string) call {
		nameless := `mount -t tmpfs tmpfs /run; unshare -n sleep 100 >/dev/null 2>&1 & pid=$!
while [ $(readlink /proc/$pid/ns/net) = $(readlink /proc/self/ns/net) ]; do :; done
ip netns attach testns $pid; ` + strings.TrimPrefix(mended, "ip netns add testns; ") + prepare + `
umount /run/netns/testns; rm /run/netns/testns; set -- "$@" --from-pid $pid`
		return unshared(t, dir, []string{"-Urnmpf", "--mount-proc"}, nameless, "diagnose", "--to", "192.168.2.102")
	}
	asked("").want(t, 0, "nothing keeps pid:", "from reaching 192.168.2.102")
	asked("ip -n prodns link set vnix-prodns down").want(t, 1, "cause     peer-down: vnix-prodns in prodns")
}

// TestDiagnoseOtherWords: a namespace without a name is found by what keeps it, or by who runs in it, and is named in
// commands by that.
func TestDiagnoseOtherWords(t *testing.T) {
	dir := t.TempDir()
	// The container of Docker is a process, that of Podman another one in its namespace. They have no control groups of
	// their own, since a test cannot make any, but the supervisors above them have the words of real ones, and the
	// runtimes' folders their names. The third container is not there any more, and its id is somebody else's.
	prepare := `mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /var/lib
contain() { # FILE COMMAND SUPERVISOR... runs a command under a supervisor, and writes its id to the file.
	file=$1 command=$2; shift 2
	sh -c "$command"' >/dev/null 2>&1 & echo $! >'$file'; wait' "$@" >/dev/null 2>&1 &
	while [ ! -s $file ]; do :; done
	while [ $(readlink /proc/$(cat $file)/ns/net) = $(readlink /proc/self/ns/net) ]; do :; done
}
contain /run/pid 'unshare -n sleep 100' containerd-shim-runc-v2 -namespace moby -id 0123456789ab
pid=$(cat /run/pid)
inode=$(readlink /proc/$pid/ns/net | tr -dc 0-9)
ip netns attach testns $pid; ` + strings.TrimPrefix(mended, "ip netns add testns; ") + `
mkdir -p /run/docker/netns; touch /run/docker/netns/1-abc; mount --bind /proc/$pid/ns/net /run/docker/netns/1-abc
umount /run/netns/testns; rm /run/netns/testns
d=/var/lib/docker/containers/0123456789ab; mkdir -p $d
echo '{"ID":"0123456789ab","Name":"/web","State":{"Pid":'$pid'}}' >$d/config.v2.json
d=/var/lib/docker/containers/0999; mkdir -p $d; echo '{"ID":"0999","Name":"/idle","State":{"Pid":0}}' >$d/config.v2.json
d=/var/lib/containers/storage/overlay-containers; mkdir -p $d; echo '[{"id":"c0ffee","names":["db"]}]' >$d/containers.json
d=/run/containers/storage/overlay-containers/c0ffee/userdata; mkdir -p $d
contain $d/pidfile "nsenter -t $pid -n sleep 100" conmon --api-version 1 -c c0ffee -u c0ffee
d=/var/lib/docker/containers/0777; mkdir -p $d
echo '{"ID":"0777","Name":"/crashed","State":{"Pid":'$pid'}}' >$d/config.v2.json
d=/run/containerd/io.containerd.runtime.v2.task/k8s.io/5a; mkdir -p $d
echo '{"annotations":{"io.kubernetes.cri.sandbox-name":"dns-0","io.kubernetes.cri.sandbox-namespace":"kube-system"},
"linux":{"namespaces":[{"type":"network","path":"/run/docker/netns/1-abc"}]}}' >$d/config.json
`
	asked := func(from, more string) call {
		return unshared(t, dir, []string{"-Urnmpf", "--mount-proc"}, prepare+more+"\nset -- \"$@\" --from "+from,
			"diagnose", "--to", "192.168.2.102")
	}
	cut := "ip -n prodns link set vnix-prodns down"
	for _, from := range []string{"docker:web", "docker:0123", "podman:db", "/proc/$pid/task/$pid/ns/net", "@$inode"} {
		asked(from, "").want(t, 0, "nothing keeps pid:", "from reaching 192.168.2.102")
	}
	for _, from := range []string{"/run/docker/netns/1-abc", "pod:kube-system/dns-0"} {
		asked(from, cut).want(t, 1, "/run/docker/netns/1-abc does not reach", "cause     peer-down: vnix-prodns in prodns")
		asked(from, "nsenter -t $pid -n ip link set vnic-testns down").want(t, 1,
			"repair    nsenter --net=/run/docker/netns/1-abc ip link set vnic-testns up")
	}
	for from, says := range map[string]string{
		"docker:wbe":             "find docker:wbe: there is no such container, did you mean web?",
		"docker:idle":            "find docker:idle: it does not run",
		"docker:crashed":         "find docker:crashed: whether it runs cannot be told: neither the control group nor the",
		"docker:0":               "find docker:0: the ids of 3 containers begin so",
		"pod:dns-0":              "want pod:NAMESPACE/NAME, such as pod:default/dns-0",
		"pod:kube-system/dns-1":  "there is no such pod, did you mean kube-system/dns-0?",
		"@1":                     "find @1: no process is in such a network namespace, and no file keeps it",
		"@x":                     "find @x: want the number of a namespace, as lsns -t net shows it",
		"/run/docker/netns/gone": "no such file or directory",
		"/proc/$pid/ns/mnt":      "invalid argument",
		"/proc/99999999/ns/net":  "there is no such process",
	} {
		if c := asked(from, ""); c.status != 2 || !strings.Contains(c.stderr, says) || c.stdout != "" {
			t.Errorf("--from %s: %+v", from, c)
		}
	}
	// From the other end, root sees what a link leads into, although it has no name.
	unshared(t, dir, []string{"-Urnmpf", "--mount-proc"}, strings.TrimSpace(prepare), "diagnose", "--from", "prodns", "--to",
		"192.168.2.103").want(t, 0, "nothing keeps prodns from reaching 192.168.2.103")
}

// TestDiagnoseSaved: a saved state, redacted or not, gives the same diagnosis, also to an ordinary user.
func TestDiagnoseSaved(t *testing.T) {
	dir := t.TempDir()
	ask := []string{"diagnose", "--from", "a", "--to", "10.4.0.2"}
	live := onMachine(t, dir, chain, append(ask, "--save", "plain.json")...)
	live.want(t, 1, "saved the state", "harness diagnose --state plain.json --from a --to 10.4.0.2")
	harness(t, dir, append(ask, "--state", "plain.json")...).want(t, 1, strings.TrimSpace(live.stdout))

	c := harness(t, dir, append(ask, "--state", "plain.json", "--save", "other.json", "--redact")...)
	c.want(t, 1, "--state other.json --from a --to ")
	text, err := os.ReadFile(filepath.Join(dir, "other.json"))
	if err != nil {
		t.Fatal(err)
	}
	if regexp.MustCompile(`\b10\.[1-4]\.0\.`).Match(text) {
		t.Errorf("addresses are left:\n%s", text)
	}
	asOther := asToldFor(t, c)
	harness(t, dir, asOther...).want(t, 1, "  -> r1  ", "  -> r2  ", "  ×  r3  ", "cause     forwarding-off: r3")
	for _, packet := range [][]string{{"--tcp", "80"}, {"--size", "1400"}} {
		harness(t, dir, append(append(ask, "--state", "plain.json", "--save", "again.json"), packet...)...).want(t, 1,
			"--to 10.4.0.2 "+strings.Join(packet, " ")+"\n")
	}
	harness(t, dir, "map", "--state", "other.json").want(t, 0, "─ r3 ─")
}

// asToldFor is the printed command that diagnoses a saved state.
func asToldFor(t *testing.T, c call) []string {
	t.Helper()
	_, command, found := strings.Cut(c.stderr, "to diagnose it elsewhere: harness ")
	if !found {
		t.Fatalf("it does not say how to diagnose the state:\n%s", c.stderr)
	}
	command, _, _ = strings.Cut(command, "\n")
	return strings.Fields(command)
}

// TestDiagnoseRedactedByKey: the key that is printed maps each address, the file does not contain it, and a question
// about an address that is not in the redacted state gets no answer.
func TestDiagnoseRedactedByKey(t *testing.T) {
	dir := t.TempDir()
	c := onMachine(t, dir, aPair, "diagnose", "--from", "prodns", "--to", "192.168.2.103", "--save", "other.json",
		"--redact")
	c.want(t, 1, "cause     peer-down", "the key, which is not in the file: keep it to yourself\n")
	key := regexp.MustCompile(`(?m)^  (\S+) +is (\S+)$`).FindAllStringSubmatch(c.stderr, -1)
	became := ""
	text, err := os.ReadFile(filepath.Join(dir, "other.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range key {
		if strings.Contains(string(text), `"`+pair[1]+`"`) {
			t.Errorf("the file has %s", pair[1])
		}
		if pair[1] == "192.168.2.103" {
			became = pair[2]
		}
	}
	if became == "" || became == "192.168.2.103" {
		t.Fatalf("the key does not tell what has become of 192.168.2.103:\n%s", c.stderr)
	}
	harness(t, dir, "diagnose", "--state", "other.json", "--from", "prodns", "--to", became).want(t, 1,
		"cause     peer-down: vnic-testns in testns\n")
	harness(t, dir, "diagnose", "--state", "other.json", "--from", "prodns", "--to", "192.168.2.103").want(t, 3,
		"whether prodns reaches 192.168.2.103 could not be judged\n",
		"the state is redacted, and 192.168.2.103 is no address in it")
	harness(t, dir, "diagnose", "--state", "other.json", "--from", "prodns", "--to", became, "--source",
		"192.168.2.102").want(t, 3, "192.168.2.102 is no address in it")

	// An address outside the state is known if it was the target of the saved diagnosis.
	c = onMachine(t, dir, aPair, "diagnose", "--from", "prodns", "--to", "203.0.113.9", "--save", "far.json",
		"--redact")
	c.want(t, 1, "cause     no-route")
	harness(t, dir, asToldFor(t, c)...).want(t, 1, "cause     no-route: prodns\n")
	harness(t, dir, "diagnose", "--state", "far.json", "--from", "prodns", "--to", "203.0.113.9").want(t, 3,
		"203.0.113.9 is no address in it")
}

// TestDiagnoseSavedUnderAnAddress: a namespace whose name is an address is renamed in a redacted state.
func TestDiagnoseSavedUnderAnAddress(t *testing.T) {
	dir := write(t, map[string]string{"state.json": `{"namespaces": [{"name": "ns-10.9.0.1", "links": []}]}`})
	c := harness(t, dir, "diagnose", "--state", "state.json", "--from", "ns-10.9.0.1", "--to", "10.9.0.2", "--save",
		"other.json", "--redact")
	asOther := asToldFor(t, c)
	if slices.Contains(asOther, "ns-10.9.0.1") {
		t.Errorf("it tells the name: %q", asOther)
	}
	harness(t, dir, asOther...).want(t, 1, "cause     local-rule-missing: "+asOther[4])
}

// TestDiagnoseWithoutPrivilege: what could not be read is reported, and is not taken for healthy.
func TestDiagnoseWithoutPrivilege(t *testing.T) {
	ordinary := func(args ...string) call {
		cmd := command(t, t.TempDir(), args...)
		if os.Geteuid() == 0 {
			asNobody(t, cmd)
		}
		return finish(t, cmd)
	}
	ordinary("diagnose", "--from", "host", "--to", "127.0.0.1").want(t, 3,
		"whether host reaches 127.0.0.1 could not be judged", "in doubt  host: not read: ")
	ordinary("map").want(t, 0, "─ host ─")
}
