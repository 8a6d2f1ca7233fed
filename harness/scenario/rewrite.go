package scenario

// Rewrite replaces each text in a result by f of it, except the harness's own words, such as the outcome.
func (r *SectionResult) Rewrite(f func(string) string) {
	rewrite := func(texts ...*string) {
		for _, t := range texts {
			*t = f(*t)
		}
	}
	rewrite(&r.Scenario, &r.Driver, &r.Title, &r.File, &r.Reason)
	for i := range r.Lacking {
		rewrite(&r.Lacking[i])
	}
	for i := range r.Missing {
		rewrite(&r.Missing[i])
	}
	for i := range r.Excluded {
		rewrite(&r.Excluded[i])
	}
	for i := range r.Problems {
		p := &r.Problems[i]
		rewrite(&p.File, &p.Message, &p.Expected, &p.Found, &p.Hint)
		for j := range p.Diagnosis {
			rewrite(&p.Diagnosis[j])
		}
	}
	for i := range r.Checks {
		k := &r.Checks[i]
		rewrite(&k.Text, &k.Phase, &k.Expected, &k.Found, &k.Reason, &k.Hint)
	}
	for i := range r.Transcript {
		x := &r.Transcript[i]
		rewrite(&x.Netns, &x.Command, &x.Output, &x.Errno, &x.Message, &x.Note)
		for j := range x.Argv {
			rewrite(&x.Argv[j])
		}
	}
}
