// Package evidence says what a folder of evidence about a failed case has, and reads and writes what of it is the
// harness's own: the file case.json and the script reproduce.sh. It is pure. internal/{specrun,worker} and the command
// line may import it; it never opens a file, and never believes what a sandbox tells: the names of files are fixed
// here, and no word of a sandbox gets into the script.
package evidence

// The files of a folder.
const (
	Index      = "README.txt"
	CaseFile   = "case.json"
	Scenario   = "scenario.txt"
	Script     = "reproduce.sh"
	BeforeJSON = "before.json"
	AfterJSON  = "after.json"
	Before     = "before.txt"
	After      = "after.txt"
	Difference = "difference.txt"
	Drawing    = "drawing.txt"
	DrawingSVG = "drawing.svg"
	Diagnosis  = "diagnosis.txt"
	Processes  = "processes.txt"
	Transcript = "transcript.txt"
	KernelLog  = "kernel.log"
	Packets    = "packets.pcapng"
)

// File is what is known of a file.
type File struct {
	Name, Says string
	// Sandbox is set if its content comes out of a sandbox.
	Sandbox bool
}

// Files are all files of a folder, in the order in which its index lists them.
var Files = []File{
	{Index, "this list", false},
	{Transcript, "the commands of the section and the whole of their output", true},
	{Diagnosis, "why namespaces do not reach what a check says that they reach", true},
	{Difference, "what is different after the section", true},
	{Before, "the state before the section, as ip shows it", true},
	{After, "the state after the section, as ip shows it", true},
	{BeforeJSON, "the same as a file for harness map --state, without packet filters", true},
	{AfterJSON, "the same as a file for harness diagnose --state and harness map --state", true},
	{Drawing, "the state after the section, drawn; what is different is marked with *", true},
	{DrawingSVG, "the same as a picture", false},
	{Processes, "what ran after the section, and what it waited for in the kernel", true},
	{KernelLog, "what the kernel wrote to its log meanwhile", false},
	{Packets, "the packets of the section, which was played once more for them", true},
	{Script, "plays the commands in namespaces of its own, with iproute2 alone: sh reproduce.sh", false},
	{CaseFile, "how the case was played, for harness run --reproduce FOLDER", false},
	{Scenario, "the text of the scenario", false},
}

// FromSandbox tells whether a sandbox may send a file of this name.
func FromSandbox(name string) bool {
	for _, f := range Files {
		if f.Name == name {
			return f.Sandbox
		}
	}
	return false
}

// Columns is the width of the drawings.
const Columns = 120

// Size is how much of the evidence about a case comes out of a sandbox at most, in bytes.
const Size = 8 << 20

// Bundle is what is known of a case that failed, and what could not be had.
type Bundle struct {
	Files map[string][]byte
	// Lacks says of files why they could not be had.
	Lacks map[string]string
	// Lines are those of the commands that lead to the end of the section (lab.Remains).
	Lines []int
}

// NewBundle is one that has nothing.
func NewBundle() *Bundle { return &Bundle{Files: map[string][]byte{}, Lacks: map[string]string{}} }

// Lack notes why a file could not be had, unless it is there or a reason is known.
func (b *Bundle) Lack(name, why string) {
	if b.Files[name] == nil && b.Lacks[name] == "" {
		b.Lacks[name] = why
	}
}
