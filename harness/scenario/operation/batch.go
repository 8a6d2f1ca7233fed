package operation

import (
	"errors"
	"fmt"
	"strings"
)

// Batch is `ip -batch FILE`: each line of the file is an ip command without the word ip and without options.
type Batch struct {
	// File is the path of the file; "-" is standard input, which is empty in a lab.
	File string
	// Force goes on after a line that is refused.
	Force  bool
	Family Family
}

// BatchLine is one command of a batch file.
type BatchLine struct {
	Number  int // of its last line in the file, from 1
	Command Command
	// Refused is the *UsageError of a line that ip refuses itself.
	Refused error
}

// ParseBatch reads the text of a batch file for this command. The error is an *UnknownWord, with the file and the line.
func (op Batch) ParseBatch(text string, c Command) ([]BatchLine, error) {
	var lines []BatchLine
	left := strings.Split(text, "\n")
	for i := 0; i < len(left); i++ {
		line, _, _ := strings.Cut(left[i], "#")
		for strings.HasSuffix(line, `\`) && i+1 < len(left) {
			i++
			more, _, _ := strings.Cut(left[i], "#")
			line = strings.TrimSuffix(line, `\`) + more
		}
		words, err := batchWords(line)
		if err == nil && len(words) == 0 {
			continue
		}
		b := BatchLine{Number: i + 1}
		if err == nil {
			b.Command, err = op.parseLine(words, c)
		}
		var unknown *UnknownWord
		if errors.As(err, &unknown) {
			return nil, &UnknownWord{Word: fmt.Sprintf("%s in line %d of %s", unknown.Word, b.Number, op.File),
				Nearest: unknown.Nearest, Typo: unknown.Typo}
		}
		b.Refused = err
		lines = append(lines, b)
	}
	return lines, nil
}

func (op Batch) parseLine(words []string, c Command) (Command, error) {
	if strings.HasPrefix(words[0], "-") {
		return Command{}, usage(words[0], "a line of a batch file begins with an object")
	}
	var out argv
	out.family(op.Family)
	return parseIPCommand(append(out, words...), c)
}

// batchWords splits a line at blanks. A word in quotes is literal; there is nothing else to quote with.
func batchWords(line string) (words []string, err error) {
	const blanks = " \t\r\n"
	for {
		line = strings.TrimLeft(line, blanks)
		if line == "" {
			return words, nil
		}
		if quote := line[:1]; quote == `'` || quote == `"` {
			word, rest, closed := strings.Cut(line[1:], quote)
			if !closed {
				return nil, usage(line, "a quote is not closed")
			}
			words, line = append(words, word), rest
			continue
		}
		end := strings.IndexAny(line, blanks)
		if end < 0 {
			end = len(line)
		}
		words, line = append(words, line[:end]), line[end:]
	}
}

func (op Batch) args() []string {
	var out argv
	out.family(op.Family)
	out.flag("-force", op.Force)
	return append(out, "-batch", op.File)
}
