// Package shell prepares the learner's shell: its arguments, its files with a prompt that names the lab, and hooks that
// write marks into the stream of the terminal, which Scanner cuts out again. The session, replays and the command line
// import it; it imports nothing of this project. It starts no program and writes no file.
package shell

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Names are the shells that a learner may have.
var Names = []string{"bash", "zsh", "sh"}

// Of is the learner's shell by the path of the one that he uses: sh if it is none of Names.
func Of(login string) string {
	if name := path.Base(login); slices.Contains(Names, name) {
		return name
	}
	return "sh"
}

// Home is the folder of the shell's files in a lab, Bin the one of the programs that a session adds.
const (
	Home = "/run/netnscheck"
	Bin  = Home + "/bin"
	// History is the history of the shells.
	History = Home + "/history"
	// Socket is where the command lab asks the session.
	Socket = Home + "/lab.sock"
)

// Setup is how a shell is started.
type Setup struct {
	Args        []string // with its name first
	Environment []string
	// Files are the files that it reads, by their path; RC is the path of the one that is read last.
	Files map[string]string
	RC    string
}

// For prepares a shell in a lab with this name. The secret is part of each mark.
func For(name, lab, secret string) Setup {
	common := fmt.Sprintf(header, lab) + "HISTFILE=" + History + "\n"
	switch name {
	case "bash":
		rc := common + "__lab_secret=" + secret + "\n__lab_name=" + quote(lab) + "\n" + bashrc
		return Setup{
			Args:        []string{"bash", "--rcfile", Home + "/bashrc", "-i"},
			Environment: nested,
			Files:       map[string]string{Home + "/bashrc": rc}, RC: Home + "/bashrc",
		}
	case "zsh":
		rc := common + "__lab_secret=" + secret + "\n__lab_name=" + quote(lab) + "\n" + zshrc
		return Setup{
			Args:        []string{"zsh", "-i"},
			Environment: nested,
			Files:       map[string]string{Home + "/.zshrc": rc, Home + "/.zshenv": "unsetopt GLOBAL_RCS\n"},
			RC:          Home + "/.zshrc",
		}
	}
	rc := common + "__lab_mark=" + quote(Mark(secret, "S")) + "\n__lab_name=" + quote(lab) + "\n" + shrc
	return Setup{
		Args:        []string{"sh", "-i"},
		Environment: nested,
		Files:       map[string]string{Home + "/shrc": rc}, RC: Home + "/shrc",
	}
}

// nested lets a zsh or an sh that is started in another shell have the same prompt and hooks.
var nested = []string{"ZDOTDIR=" + Home, "ENV=" + Home + "/shrc"}

// header begins each file.
const header = "# The shell of the lab %s.\n"

// quote writes a word so that any shell reads it as it is.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// bashrc says before each command what it is and before each prompt how it ended. PS0 needs bash 4.4; in an older one
// there are no commands to be told. The number of the last entry of the history tells whether a command was recorded.
const bashrc = `HISTCONTROL=
HISTTIMEFORMAT=
shopt -s checkwinsize
__lab_escape() {
	local c=$1
	c=${c//\\/\\\\}
	c=${c//$'\e'/\\e}
	c=${c//$'\a'/\\a}
	c=${c//$'\r'/\\r}
	c=${c//$'\n'/\\n}
	printf %s "$c"
}
__lab_start() {
	local c n
	c=$(HISTTIMEFORMAT= builtin history 1)
	n=${c#"${c%%[0-9]*}"}
	n=${n%%[!0-9]*}
	c=${c#*"$n"??}
	[ "$n" = "$__lab_last" ] && c=
	printf '\e]7377;%s;C;%s;%s\a' "$__lab_secret" "$__lab_netns" "$(__lab_escape "$c")"
}
__lab_prompt() {
	local status=$? c
	c=$(HISTTIMEFORMAT= builtin history 1)
	c=${c#"${c%%[0-9]*}"}
	__lab_last=${c%%[!0-9]*}
	printf '\e]7377;%s;D;%s\a\e]7377;%s;P\a' "$__lab_secret" "$status" "$__lab_secret"
	return "$status"
}
PS0='$(__lab_start)'
PROMPT_COMMAND=__lab_prompt
__lab_netns=$(ip netns identify 2>/dev/null)
PS1='[$__lab_name${__lab_netns:+: $__lab_netns}] \w \$ '
`

// zshrc is the same for zsh.
const zshrc = `HISTSIZE=1000
setopt PROMPT_SUBST INTERACTIVE_COMMENTS
bindkey -e
__lab_escape() {
	local c=$1
	c=${c//\\/\\\\}
	c=${c//$'\e'/\\e}
	c=${c//$'\a'/\\a}
	c=${c//$'\r'/\\r}
	c=${c//$'\n'/\\n}
	print -rn -- "$c"
}
__lab_preexec() { printf '\e]7377;%s;C;%s;%s\a' "$__lab_secret" "$__lab_netns" "$(__lab_escape "$1")" }
__lab_precmd() {
	local st=$?
	printf '\e]7377;%s;D;%s\a\e]7377;%s;P\a' "$__lab_secret" "$st" "$__lab_secret"
}
preexec_functions+=(__lab_preexec)
precmd_functions+=(__lab_precmd)
__lab_netns=$(ip netns identify 2>/dev/null)
PROMPT='[$__lab_name${__lab_netns:+: $__lab_netns}] %~ %# '
`

// shrc has a prompt alone. A shell that edits its line has to know that the mark takes no room there: bash and the ash
// of BusyBox understand \[ and \] for that.
const shrc = `if [ -n "$BASH_VERSION$BB_ASH_VERSION" ]; then
	__lab_mark="\\[$__lab_mark\\]"
fi
__lab_netns=$(ip netns identify 2>/dev/null)
PS1="$__lab_mark[$__lab_name${__lab_netns:+: $__lab_netns}] # "
`
