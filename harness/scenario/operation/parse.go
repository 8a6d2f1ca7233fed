package operation

import (
	"path"
	"strconv"
	"strings"
)

// Parse turns an argument vector into a Command: ip, ping and sysctl into their operations, any other program into Run.
// The program may have a path. Abbreviations mean the same as in iproute2. The error is an *UnknownWord for a command
// outside the grammar, a *UsageError for one that the program itself refuses.
func Parse(argv []string) (Command, error) {
	return parseProgram(argv, Command{})
}

// parseProgram reads a program and its arguments; outer is the command that starts it, as far as it was read.
func parseProgram(argv []string, outer Command) (Command, error) {
	if len(argv) == 0 {
		return Command{}, usage("", "there is no command")
	}
	var err error
	c := outer
	switch path.Base(argv[0]) {
	case "ip":
		return parseIPCommand(argv[1:], outer)
	case "ping":
		c.Op, err = parsePing(argv[1:], FamilyAny)
	case "ping6":
		c.Op, err = parsePing(argv[1:], FamilyV6)
	case "sysctl":
		c.Op, err = parseSysctl(argv[1:])
	default:
		c.Op = Run{Argv: append([]string(nil), argv...)}
	}
	if err != nil {
		return Command{}, err
	}
	return c, nil
}

// ipCommand is an ip command after its options.
type ipCommand struct {
	options ipOptions
	words   *words
	// verb is the verb as written, "" if there is none.
	verb string
}

var objects = newGrammar(
	`address addrlabel maddress route rule neighbor=neighbour neighbour ntable ntbl=ntable link l2tp
	fou ila macsec tunnel tunl=tunnel tuntap tap=tuntap token tcpmetrics=tcp_metrics tcp_metrics
	monitor xfrm mroute mrule
	netns netconf vrf sr nexthop mptcp ioam help stats`)

// parseIPCommand reads the words after ip.
func parseIPCommand(argv []string, outer Command) (Command, error) {
	options, left, err := parseIPOptions(argv)
	if err != nil {
		return Command{}, err
	}
	if options.netns != "" {
		outer.Netns = options.netns
	}
	if options.batch != "" {
		outer.Op = Batch{File: options.batch, Force: options.force, Family: options.family}
		return outer, options.cannotSay()
	}
	if len(left) == 0 {
		return Command{}, usage("ip", "the object is missing")
	}
	object, known := objects.find(left[0])
	if !known {
		return Command{}, objects.unknown(left[0])
	}
	in := ipCommand{options: options, words: newWords(left[1:], options.family)}
	if in.words.more() {
		in.verb = in.words.next()
	}
	if object == "netns" {
		return parseNetns(in, outer)
	}
	op, err := parseObject(object, in)
	if err != nil {
		return Command{}, err
	}
	if _, shows := op.(Show); !shows && options.cannotSay() != nil {
		return Command{}, options.cannotSay()
	}
	outer.Op = op
	return outer, nil
}

// cannotSay is the error for a command that the options change in a way that no Operation expresses, or nil.
func (o ipOptions) cannotSay() error {
	if o.unsayable == "" {
		return nil
	}
	return &UnknownWord{Word: o.unsayable}
}

func parseObject(object string, in ipCommand) (Operation, error) {
	switch object {
	case "link":
		return parseLink(in)
	case "address":
		return parseAddress(in)
	case "route":
		return parseRouteCommand(in)
	case "rule":
		return parseRuleCommand(in)
	case "neighbour":
		return parseNeighbour(in)
	case "nexthop":
		return parseNexthop(in)
	case "maddress":
		return parseMulticast(in)
	case "token":
		return parseToken(in)
	case "tuntap":
		return parseTun(in)
	}
	return parseOtherObject(object, in)
}

// ipOptions are the options between ip and the object.
type ipOptions struct {
	netns  string
	family Family
	// all are all namespaces, for `netns exec` and `netns del`.
	all bool
	// batch is a file of commands; force goes on after a refused one.
	batch string
	force bool
	// shown are all options except the namespace, in full, for commands that show something.
	shown []string
	// unsayable is an option that changes an operation in a way that no Operation expresses.
	unsayable string
}

var ipOptionWords = newGrammar(`-loops -family -4! -6! -0! -M! -B! -human -human-readable=-human -iec -stats=-statistics
	-statistics -details -resolve -oneline -timestamp -tshort -Version -force -batch -brief -json -pretty -rcvbuf -color
	-help -netns -Numeric -all -echo!`)

func parseIPOptions(argv []string) (o ipOptions, left []string, err error) {
	w := newWords(argv, FamilyAny)
	for w.more() && strings.HasPrefix(w.left[0], "-") {
		word := w.next()
		if word == "--" {
			break
		}
		if err := o.parse(w, word); err != nil {
			return ipOptions{}, nil, err
		}
	}
	return o, w.left, nil
}

func (o *ipOptions) parse(w *words, word string) error {
	bare := strings.TrimPrefix(word, "-")
	if !strings.HasPrefix(bare, "-") {
		bare = word
	}
	if len(bare) < 2 {
		return usage(word, "an option must follow the dash")
	}
	bare, value, hasValue := strings.Cut(bare, "=")
	option, known := ipOptionWords.find(bare)
	if !known || hasValue && option != "-color" {
		return ipOptionWords.unknown(word)
	}
	switch option {
	case "-netns":
		return read(w, &o.netns, name)(option)
	case "-family":
		var err error
		if value, err = w.value(option); err != nil {
			return err
		}
		return o.setFamily(value, value)
	case "-4":
		return o.setFamily("inet", word)
	case "-6":
		return o.setFamily("inet6", word)
	case "-0":
		return o.setFamily("link", word)
	case "-M":
		return o.setFamily("mpls", word)
	case "-B":
		return o.setFamily("bridge", word)
	case "-color":
		if hasValue {
			option += "=" + value
		}
	case "-loops", "-rcvbuf":
		var n int
		if err := read(w, &n, natural)(option); err != nil {
			return err
		}
		o.shown = append(o.shown, option, strconv.Itoa(n))
		return nil
	case "-batch":
		return read(w, &o.batch, name)(option)
	case "-all":
		o.all = true
		return nil
	case "-force":
		o.force = true
		return nil
	case "-help", "-Version":
		return &UnknownWord{Word: word}
	}
	o.shown = append(o.shown, option)
	return nil
}

// setFamily sets the address family; word is the option as written.
func (o *ipOptions) setFamily(value, word string) error {
	switch value {
	case "inet":
		o.family, o.unsayable = FamilyV4, ""
		o.shown = append(o.shown, "-4")
	case "inet6":
		o.family, o.unsayable = FamilyV6, ""
		o.shown = append(o.shown, "-6")
	case "link", "mpls", "bridge":
		o.family, o.unsayable = FamilyAny, word
		o.shown = append(o.shown, "-family", value)
	default:
		return usage(value, "-family takes inet, inet6, link, mpls or bridge")
	}
	return nil
}
