package operation

import (
	"strings"
)

// sysctlOptions are the long options that an Operation expresses.
var sysctlOptions = map[string]string{"--write": "w", "--quiet": "q", "--values": "n"}

func parseSysctl(words []string) (Operation, error) {
	var write, quiet, valueOnly bool
	var arguments []string
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		if word == "--" {
			arguments = append(arguments, words...)
			break
		}
		letters := sysctlOptions[word]
		switch {
		case len(word) < 2 || word[0] != '-':
			arguments = append(arguments, word)
			continue
		case letters == "" && word[1] == '-':
			return nil, &UnknownWord{Word: word}
		case letters == "":
			letters = word[1:]
		}
		for _, letter := range letters {
			switch letter {
			case 'w':
				write = true
			case 'q':
				quiet = true
			case 'n':
				valueOnly = true
			default:
				return nil, &UnknownWord{Word: "-" + string(letter)}
			}
		}
	}
	if len(arguments) == 0 {
		return nil, usage("sysctl", "the variable is missing")
	}
	return sysctlOperation(arguments, write, quiet, valueOnly)
}

func sysctlOperation(arguments []string, write, quiet, valueOnly bool) (Operation, error) {
	set := SysctlSet{Quiet: quiet}
	show := SysctlShow{ValueOnly: valueOnly}
	for _, argument := range arguments {
		key, value, assigns := strings.Cut(argument, "=")
		key = sysctlKey(key)
		switch {
		case key == "":
			return nil, usage(argument, "the name of the variable is missing")
		case key[0] == '-':
			return nil, &UnknownWord{Word: argument}
		case assigns:
			set.Values = append(set.Values, SysctlValue{Key: key, Value: strings.TrimSpace(value)})
		case write:
			return nil, usage(argument, "-w takes VARIABLE=VALUE")
		default:
			show.Keys = append(show.Keys, key)
		}
	}
	switch {
	case len(set.Values) == 0:
		return show, nil
	case len(show.Keys) > 0:
		return nil, &UnknownWord{Word: show.Keys[0]}
	}
	return set, nil
}

// sysctlKey is the key in dotted form. If the first separator is a slash, dots and slashes are swapped, as in
// sysctl(8).
func sysctlKey(key string) string {
	key = strings.TrimSpace(key)
	if i := strings.IndexAny(key, "./"); i < 0 || key[i] == '.' {
		return key
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case '.':
			return '/'
		case '/':
			return '.'
		}
		return r
	}, key)
}

func (op SysctlSet) args() []string {
	out := argv{"sysctl"}
	out.flag("-q", op.Quiet)
	out = append(out, "-w")
	for _, v := range op.Values {
		out = append(out, v.Key+"="+v.Value)
	}
	return out
}

func (op SysctlShow) args() []string {
	out := argv{"sysctl"}
	out.flag("-n", op.ValueOnly)
	return append(out, op.Keys...)
}
