package wire

import (
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/progress"
)

// Begin is the first message to the process in the sandbox.
type Begin struct {
	Scenario *scenario.Scenario
	// Source is the Markdown of the scenario, for its prose.
	Source string
	Exam   bool
	// Challenge is set if there are to be faults in the finished network of the scenario, which the learner looks for.
	Challenge *progress.Challenge `json:",omitempty"`
	// Past is what was remembered of the steps, and Replay what leads to where the learner was.
	Past   []sitting.Past   `json:",omitempty"`
	Replay []progress.Entry `json:",omitempty"`
	// Log is what the learner did last, and Earlier how much before that.
	Log     []progress.Entry `json:",omitempty"`
	Earlier int              `json:",omitempty"`
	// History is that of the shell.
	History []byte `json:",omitempty"`
	// Main is the learner's terminal.
	Main Open
}

// Size is the size of a terminal, in characters.
type Size struct{ Rows, Columns uint16 }

// ToLab is a message to the process in the sandbox. One of its fields is set.
type ToLab struct {
	Open   *Open   `json:",omitempty"`
	Resize *Resize `json:",omitempty"`
	// Hangup is the number of a terminal that was closed outside.
	Hangup uint32 `json:",omitempty"`
	// Taken says that bytes of a terminal's output were passed on.
	Taken *Taken `json:",omitempty"`
	Ask   *Ask   `json:",omitempty"`
}

// Open asks for a shell on a new terminal with this number.
type Open struct {
	Terminal uint32
	// Shell is the name of the learner's shell: bash, zsh or sh.
	Shell string
	// Environment are the variables that describe the learner's terminal and locale.
	Environment []string
	Size        Size
	// Colour and ASCII say what the terminal shows.
	Colour, ASCII bool
}

// Resize is the new size of a terminal.
type Resize struct {
	Terminal uint32
	Size     Size
}

// Taken is how many bytes of a terminal were passed on: as many may follow.
type Taken struct {
	Terminal uint32
	Bytes    int
}

// FromLab is a message of the process in the sandbox. One of its fields is set.
type FromLab struct {
	// Ready is sent once, when the lab is there.
	Ready *Ready `json:",omitempty"`
	// Failed is why the lab could not be made, or why a terminal could not be opened.
	Failed *Failed `json:",omitempty"`
	// Ended is sent when the shell of a terminal has ended.
	Ended *Ended `json:",omitempty"`
	// Taken says that bytes of a terminal's input were passed on.
	Taken  *Taken  `json:",omitempty"`
	Answer *Answer `json:",omitempty"`
	Work   *Work   `json:",omitempty"`
}

// Ready says where the learner is, what the lab lacks, each as a sentence, and which commands could not be done again.
type Ready struct {
	View   *sitting.View
	Lacks  []string `json:",omitempty"`
	Undone []string `json:",omitempty"`
}

// Work is what the learner did, for his progress.
type Work struct {
	// Entry has no time yet; nil if nothing was asked for or run.
	Entry *progress.Entry `json:",omitempty"`
	// Told is what he was told late of his last command.
	Told []string `json:",omitempty"`
	Past []sitting.Past
}

// Failed is an error. Terminal is 0 if it is about the lab, which then ends.
type Failed struct {
	Terminal uint32
	Text     string
	// Lacks is set if this machine lacks something that the lab requires, Usage if what the learner asked for is not to
	// be had in it.
	Lacks, Usage bool
}

// Ended is the end of a terminal's shell.
type Ended struct {
	Terminal uint32
	// Status is the shell's exit status, 128+N if signal N ended it.
	Status int
}
