package operation

// Parse turns an argument vector (ip, ping or sysctl; any other program becomes Run) into a Command.
func Parse(argv []string) (Command, error) { panic("being written") }

// Argv renders the command as iproute2 takes it.
func (c Command) Argv() []string { panic("being written") }

// ParseRoute reads a route as `ip route add` takes it.
func ParseRoute(words []string) (Route, error) { panic("being written") }

// ParseRule reads a rule as `ip rule add` takes it.
func ParseRule(words []string) (Rule, error) { panic("being written") }

// Direct is a list of commands with the same effect as the given one, in which links are created in the namespace into which
// they would be moved, where nothing in between depends on where they are.
func Direct(cmds []Command) []Command { panic("being written") }
