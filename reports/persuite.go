package reports

// perSuite is what a sink that writes cases as they end knows of each suite: how many of its cases have ended, and how.
type perSuite struct {
	suites map[string]*soFar // by Suite.Name
}

// soFar is a suite so far.
type soFar struct {
	planned, ended int
	counts         Counts
	names          map[string]bool // of the cases that ended
}

func newPerSuite(suites []Suite) *perSuite {
	p := &perSuite{map[string]*soFar{}}
	for i := range suites {
		p.suites[suites[i].Name()] = &soFar{planned: len(suites[i].Cases), names: map[string]bool{}}
	}
	return p
}

// of is a suite so far; one that was not planned is told with the cases that it has.
func (p *perSuite) of(s *Suite) *soFar {
	so, ok := p.suites[s.Name()]
	if !ok {
		so = &soFar{planned: len(s.Cases), names: map[string]bool{}}
		p.suites[s.Name()] = so
	}
	return so
}

func (so *soFar) add(c *Case) {
	so.ended++
	so.names[c.Name] = true
	*so.counts.of(c.Outcome)++
}

// rest tells the cases of a finished run that have not ended: this machine could not run them.
func (p *perSuite) rest(r *Run, end func(*Suite, *Case)) {
	for i := range r.Suites {
		s := &r.Suites[i]
		so := p.of(s)
		for j := range s.Cases {
			if c := &s.Cases[j]; !so.names[c.Name] {
				end(s, c)
			}
		}
	}
}
