package operation

import (
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"
)

// pingFlags are the options without a value that do not change the packets or what is received.
const pingFlags = "aBDdOUv"

func parsePing(words []string, family Family) (Operation, error) {
	op := Ping{Family: family, Size: -1}
	var destinations []string
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		switch {
		case word == "--":
			destinations = append(destinations, words...)
			words = nil
		case len(word) > 1 && word[0] == '-':
			var err error
			if words, err = op.cluster(word, words); err != nil {
				return nil, err
			}
		default:
			destinations = append(destinations, word)
		}
	}
	switch {
	case len(destinations) == 0:
		return nil, usage("ping", "the destination is missing")
	case len(destinations) > 1:
		return nil, &UnknownWord{Word: destinations[1]}
	}
	op.Dest = destinations[0]
	address, _, _ := strings.Cut(op.Dest, "%")
	if addr, ok := parseIP(address); ok && op.Family != FamilyAny && familyOf(addr) != op.Family {
		return nil, usage(op.Dest, "the command is about IPv%d", int(op.Family))
	}
	return op, nil
}

// cluster reads the letters after one dash. The value of a letter is the rest of the word, or else the next word.
func (op *Ping) cluster(word string, words []string) (left []string, err error) {
	for letters := word[1:]; letters != ""; {
		letter := letters[:1]
		letters = letters[1:]
		switch letter {
		case "4", "6":
			family := Family(letter[0] - '0')
			if op.Family != FamilyAny && op.Family != family {
				return nil, usage(word, "it cannot be -4 and -6")
			}
			op.Family = family
		case "n":
			op.Numeric = true
		case "q":
			op.Quiet = true
		case "f":
			op.Flood = true
		case "A":
			op.Adaptive = true
		case "b":
			op.Broadcast = true
		case "r":
			op.Direct = true
		case "L":
			op.NoLoop = true
		case "c", "w", "W", "i", "s", "M", "I", "t", "l", "p", "Q", "m", "S":
			value := letters
			if value == "" {
				if len(words) == 0 {
					return nil, usage("-"+letter, "a value must follow")
				}
				value, words = words[0], words[1:]
			}
			return words, op.set("-"+letter, value)
		default:
			if !strings.Contains(pingFlags, letter) {
				return nil, &UnknownWord{Word: "-" + letter}
			}
		}
	}
	return words, nil
}

func (op *Ping) set(option, value string) (err error) {
	switch option {
	case "-c":
		op.Count, err = decimal(option, value, 1, math.MaxInt64)
	case "-w":
		var seconds int
		seconds, err = decimal(option, value, 0, math.MaxInt32)
		op.Deadline = float64(seconds)
	case "-W":
		op.Timeout, err = seconds(option, value)
	case "-i":
		op.Interval, err = seconds(option, value)
		if err == nil && op.Interval == 0 {
			// -i 0 means no pause, but Interval 0 means the default.
			err = &UnknownWord{Word: option}
		}
	case "-s":
		op.Size, err = decimal(option, value, 0, math.MaxInt32)
	case "-t":
		op.TTL, err = decimal(option, value, 1, 255)
	case "-M":
		op.PMTU, err = oneOf("do", "want", "dont", "probe")(option, value)
	case "-I":
		return op.setSource(option, value)
	case "-l":
		op.Preload, err = decimal(option, value, 1, math.MaxUint16)
	case "-p":
		op.Pattern, err = pattern(option, value)
	case "-Q":
		op.TOS, err = pingTOS(option, value)
	case "-m":
		var mark int
		mark, err = between(0, math.MaxUint32)(option, value)
		op.Mark = uint32(mark)
	case "-S":
		_, err = decimal(option, value, 1, math.MaxInt32) // the size of the socket's buffer
	}
	return err
}

// setSource reads an address or a link. One of each may be given.
func (op *Ping) setSource(option, value string) error {
	_, isAddress := parseIP(value)
	into := &op.Source
	if op.Source != "" {
		if _, has := parseIP(op.Source); has == isAddress {
			return &UnknownWord{Word: option}
		}
		into = &op.SecondSource
		if op.SecondSource != "" {
			return &UnknownWord{Word: option}
		}
	}
	var err error
	*into, err = name(option, value)
	return err
}

// pattern reads up to 16 bytes in base 16.
func pattern(option, value string) (string, error) {
	if len(value)%2 == 1 {
		value = value[:len(value)-1] + "0" + value[len(value)-1:] // a digit alone is a byte
	}
	if b, err := hex.DecodeString(value); err != nil || len(b) == 0 || len(b) > 16 {
		return "", usage(value, "%s takes up to 16 bytes in base 16", option)
	}
	return strings.ToLower(value), nil
}

func pingTOS(option, value string) (uint8, error) {
	n, err := uint8s(option, value)
	return uint8(n), err
}

func decimal(option, value string, low, high int64) (int, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < low || n > high {
		return 0, usage(value, "%s takes a whole number from %d to %d", option, low, high)
	}
	return int(n), nil
}

func seconds(option, value string) (float64, error) {
	s, err := strconv.ParseFloat(value, 64)
	if err != nil || !(s >= 0 && s <= math.MaxInt32/1000) || strings.ContainsAny(value, "xX_") {
		return 0, usage(value, "%s takes a number of seconds", option)
	}
	return s + 0, nil
}

func (op Ping) args() []string {
	var out argv = slices.Clip([]string{"ping"})
	out.family(op.Family)
	out.flag("-n", op.Numeric)
	out.flag("-q", op.Quiet)
	out.int("-c", nonZeroOrNil(op.Count))
	out.seconds("-w", op.Deadline)
	out.seconds("-W", op.Timeout)
	out.seconds("-i", op.Interval)
	if op.Size >= 0 {
		out.int("-s", &op.Size)
	}
	out.word("-M", op.PMTU)
	out.word("-I", op.Source)
	out.word("-I", op.SecondSource)
	out.int("-t", nonZeroOrNil(op.TTL))
	out.flag("-f", op.Flood)
	out.flag("-A", op.Adaptive)
	out.flag("-b", op.Broadcast)
	out.flag("-r", op.Direct)
	out.flag("-L", op.NoLoop)
	out.int("-l", nonZeroOrNil(op.Preload))
	out.word("-p", op.Pattern)
	out.int("-Q", nonZeroOrNil(int(op.TOS)))
	out.int("-m", nonZeroOrNil(int(op.Mark)))
	if strings.HasPrefix(op.Dest, "-") {
		out = append(out, "--")
	}
	return append(out, op.Dest)
}

func (out *argv) seconds(option string, s float64) {
	if s != 0 {
		*out = append(*out, option, strconv.FormatFloat(s, 'f', -1, 64))
	}
}
