package claim

import "strings"

// SysctlIs is the sysctl `K` in `N` is `V`.
type SysctlIs struct {
	Netns, Key, Value string
	Not               bool
}

func init() {
	add(Entry{
		Place: 210,
		Means: "as the namespace has it; a key that does not exist makes the negative claim false too",
		Forms: []Form{
			says("the sysctl `net.ipv4.ip_forward` in `N` is `1`", func(a arguments) Claim {
				return SysctlIs{Key: a.text(0), Netns: a.text(1), Value: a.text(2)}
			}),
			denies("the sysctl `net.ipv4.ip_forward` in `N` is not `1`", func(a arguments) Claim {
				return SysctlIs{Key: a.text(0), Netns: a.text(1), Value: a.text(2), Not: true}
			}),
		},
		Slots: map[string]Slot{
			"net.ipv4.ip_forward": matching(`^[^\s.]+([./][^\s.]+)+$`, "a sysctl such as net.ipv4.ip_forward"),
			"1":                   anything("a value"),
		},
	})
}

func (c SysctlIs) Sentence() string {
	return say("the sysctl %s in %s", c.Key, c.Netns) + either(c.Not, " is not ", " is ") + say("%s", c.Value)
}

func (c SysctlIs) Needs() Needs {
	return Needs{Class: ByKernel, Question: Sysctl{Netns: c.Netns, Key: c.Key}}
}

// Judge compares the values word by word. If the key does not exist, the claim and its negative form are false.
func (c SysctlIs) Judge(known Evidence) Finding {
	if known.Setting.Missing {
		return finding(false, "there is no sysctl "+c.Key)
	}
	found := strings.Join(strings.Fields(known.Setting.Value), " ")
	return finding((found == strings.Join(strings.Fields(c.Value), " ")) != c.Not, "its value is "+found)
}

func (c SysctlIs) Mutants() Mutants {
	m := Mutants{Gone: withoutNetns(c.Netns)}
	if c.Not {
		m.Own = []Way{by(execIn(c.Netns, "sysctl -w '%s=%s'", c.Key, c.Value))}
		return m
	}
	for _, value := range []string{"0", "1", "2", "77", "4096"} {
		if value != c.Value {
			m.Own = append(m.Own, by(execIn(c.Netns, "sysctl -w %s=%s", c.Key, value)))
		}
	}
	m.Own = append(m.Own, by(execIn(c.Netns, "sysctl -w '%s=7 77'", c.Key)))
	return m
}
