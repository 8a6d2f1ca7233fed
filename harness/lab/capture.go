package lab

import (
	"fmt"

	"netnscheck/harness/internal/capture"
)

// Captured are the packets of a section: those of all links in all namespaces of its lab, from before the section looks
// at its checks for the first time until it has judged them. Those of the harness's own probes are among them: the
// comment of each packet says what was going on.
//
// While packets are captured, a namespace whose name is deleted lives until the command that deleted it has ended.
type Captured struct {
	PCAPNG []byte // a file
	// Remarks say what is missing, a sentence each.
	Remarks []string
}

// capture begins to capture the packets of the section, if somebody wants them.
func (s *scene) capture() {
	if s.play.opts.Capture == nil {
		return
	}
	var err error
	s.packets, err = capture.Start(s.lab.world, "before the commands, with the probes of checks")
	if err != nil {
		s.handOver(capture.Recording{}, err)
	}
}

// during notes what happens from now on.
func (s *scene) during(what string) {
	if s.packets != nil {
		s.packets.During(what)
	}
}

// endCapture hands the packets over.
func (s *scene) endCapture() {
	if s.packets != nil {
		r, err := s.packets.Stop()
		s.packets = nil
		s.handOver(r, err)
	}
}

func (s *scene) handOver(r capture.Recording, err error) {
	c := Captured(r)
	if err != nil {
		c.Remarks = append(c.Remarks, fmt.Sprintf("the packets could not be captured: %v", err))
	}
	s.play.opts.Capture(s.result, c)
}
