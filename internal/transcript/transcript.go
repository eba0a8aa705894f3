// Package transcript reads and plays chat transcripts (*.chat): conversations that a clerk can read and correct, and that tests and
// `nongxun demo --play` replay. The format is the contract chat.md; the package knows nothing of the service that it talks to.
//
//	# 标题: 卖黄桃
//	@ 农民 微信
//	农民> 黄桃5000斤,3块5一斤
//	小农< 登记好了* 黄桃 5000斤*
//	小农<? 产地是哪个乡镇?
//	农民> [关注 station-430225-01]
//	! 3 天后
//
// In what people say {手机} stands for their own phone number and {数字} for the last six-digit number that anybody was told.
package transcript

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Channel is how a person in a transcript reaches the service, in the words of the format.
type Channel string

// The channels.
const (
	WeChat Channel = "微信"
	SMS    Channel = "短信"
)

// The kinds of events, in the words of the format. A voice message's argument is what was said in it.
const (
	Follow   = "关注" // argument: the scene of the QR code, or ""
	Unfollow = "取关"
	Scan     = "扫码" // argument: the scene
	Menu     = "菜单" // argument: the key of the button or its name
	Location = "位置" // argument: the address as the phone labels it
	Picture  = "图片" // argument: what is on it
	Voice    = "语音" // argument: what was said
)

// Kind says what a step of a transcript is.
type Kind int

// The kinds of steps.
const (
	Join    Kind = iota + 1 // Person comes in by Channel
	Say                     // Person writes Text
	Event                   // Person does Event with Arg
	Expect                  // an answer must match Text: whole, or as a part when Contains
	Advance                 // the clock moves on By
)

// Step is one line of a transcript. Which fields are set depends on Kind.
type Step struct {
	Line     int // counted from 1
	Kind     Kind
	Person   string // of an Expect: the name that the bot goes by
	Channel  Channel
	Text     string
	Event    string
	Arg      string
	Contains bool
	By       time.Duration
}

// Transcript is a parsed file.
type Transcript struct {
	File  string
	Title string // of `# 标题:`, else the file's name
	Steps []Step
}

// maxLine bounds a line, so that a binary file given by mistake is refused quickly.
const maxLine = 16 << 10

// Load reads the transcript at path. Errors that are about its contents name file and line.
func Load(path string) (*Transcript, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Parse(path, f)
}

// Parse reads a transcript; file is only used to name it. Errors look like "a.chat:3: …".
func Parse(file string, r io.Reader) (*Transcript, error) {
	p := parser{t: &Transcript{File: file, Title: strings.TrimSuffix(filepath.Base(file), ".chat")}, people: map[string]bool{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	n := 0
	for lines.Scan() {
		n++
		line := lines.Text()
		if n == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		if !utf8.ValidString(line) {
			return nil, fmt.Errorf("%s:%d: 不是 UTF-8 文字", file, n)
		}
		if err := p.line(n, strings.TrimSpace(line)); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", file, n+1, err)
	}
	return p.t, nil
}

type parser struct {
	t      *Transcript
	people map[string]bool
	spoken bool // somebody spoke or time passed, so an answer may be expected
}

func (p *parser) line(n int, line string) error {
	if line == "" {
		return nil
	}
	first, size := utf8.DecodeRuneInString(line)
	rest := strings.TrimSpace(line[size:])
	switch first {
	case '#', '＃':
		p.comment(rest)
		return nil
	case '@', '＠':
		return p.join(n, rest)
	case '!', '！':
		return p.advance(n, rest)
	}
	at := strings.IndexAny(line, "<>＜＞")
	if at < 0 {
		return fmt.Errorf("看不懂这一行: 要以 # @ ! 开头, 或写成 名字> 或 名字<")
	}
	name := strings.TrimSpace(line[:at])
	if name == "" || strings.ContainsAny(name, " \t\u3000") {
		return fmt.Errorf("%q 不能作名字", name)
	}
	mark, size := utf8.DecodeRuneInString(line[at:])
	text := line[at+size:]
	if mark == '>' || mark == '＞' {
		return p.say(n, name, strings.TrimSpace(text))
	}
	return p.expect(n, name, text)
}

func (p *parser) comment(text string) {
	for _, prefix := range []string{"标题:", "标题："} {
		if title, ok := strings.CutPrefix(text, prefix); ok && strings.TrimSpace(title) != "" {
			p.t.Title = strings.TrimSpace(title)
		}
	}
}

func (p *parser) join(n int, text string) error {
	words := strings.Fields(text)
	if len(words) != 2 {
		return fmt.Errorf("要写成 @ 名字 微信 或 @ 名字 短信")
	}
	if strings.ContainsAny(words[0], "<>＜＞") {
		return fmt.Errorf("%q 不能作名字", words[0])
	}
	channel := Channel(words[1])
	if channel != WeChat && channel != SMS {
		return fmt.Errorf("没有 %q 这个渠道, 只有 微信 和 短信", words[1])
	}
	p.people[words[0]] = true
	p.add(Step{Line: n, Kind: Join, Person: words[0], Channel: channel})
	return nil
}

var events = map[string]bool{Follow: true, Unfollow: true, Scan: true, Menu: true, Location: true, Picture: true, Voice: true}

func (p *parser) say(n int, person, text string) error {
	if !p.people[person] {
		return fmt.Errorf("%q 还没有出场, 前面要有一行 @ %s 微信 (或 短信)", person, person)
	}
	if text == "" {
		return fmt.Errorf("%s 什么也没说", person)
	}
	p.spoken = true
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		kind, arg, _ := strings.Cut(strings.TrimSpace(text[1:len(text)-1]), " ")
		// Other words in brackets are text: that is how WeChat sends its own smileys, [强] or [玫瑰].
		if events[kind] {
			p.add(Step{Line: n, Kind: Event, Person: person, Event: kind, Arg: strings.TrimSpace(arg)})
			return nil
		}
	}
	p.add(Step{Line: n, Kind: Say, Person: person, Text: text})
	return nil
}

func (p *parser) expect(n int, bot, text string) error {
	if p.people[bot] {
		return fmt.Errorf("%s 是出场的人, 不能是回答的一方; 人说的话写成 %s>", bot, bot)
	}
	if !p.spoken {
		return fmt.Errorf("还没有人说话, 不会有回答")
	}
	contains := false
	for _, mark := range []string{"?", "？"} {
		if rest, ok := strings.CutPrefix(text, mark); ok {
			contains, text = true, rest
			break
		}
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return fmt.Errorf("没有写要等的回答; 任何回答都行就写 *")
	}
	p.add(Step{Line: n, Kind: Expect, Person: bot, Text: text, Contains: contains})
	return nil
}

var units = []struct {
	word string
	unit time.Duration
}{{"秒钟", time.Second}, {"秒", time.Second}, {"分钟", time.Minute}, {"个小时", time.Hour}, {"小时", time.Hour}, {"天", 24 * time.Hour}}

// maxAdvance keeps a typing slip from moving the clock out of the calendar's range.
const maxAdvance = 3660 * 24 * time.Hour

func (p *parser) advance(n int, text string) error {
	text = strings.TrimSpace(strings.TrimSuffix(text, "后"))
	for _, u := range units {
		number, ok := strings.CutSuffix(text, u.word)
		if !ok {
			continue
		}
		count, err := strconv.ParseInt(strings.TrimSpace(number), 10, 32)
		if err != nil || count <= 0 || time.Duration(count) > maxAdvance/u.unit {
			return fmt.Errorf("%q 不是一个合适的数", strings.TrimSpace(number))
		}
		p.spoken = true
		p.add(Step{Line: n, Kind: Advance, By: time.Duration(count) * u.unit, Text: text + "后"})
		return nil
	}
	return fmt.Errorf("要写成 ! 3 天后, ! 2 小时后 或 ! 40 分钟后")
}

func (p *parser) add(s Step) { p.t.Steps = append(p.t.Steps, s) }
