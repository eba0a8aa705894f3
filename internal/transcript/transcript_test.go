package transcript

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

const contractSample = `# 标题: 卖黄桃
@ 农民 微信
农民> 黄桃5000斤,3块5一斤
小农< 登记好了* 黄桃 5000斤* 3.5元/斤*
小农<? 产地是哪个乡镇?
农民> 中村
农民> [关注 station-430225-01]
! 3 天后
@ 经纪人 短信
经纪人> 求购黄桃[强]
`

func TestParseContractSample(t *testing.T) {
	got, err := Parse("sell.chat", strings.NewReader(contractSample))
	if err != nil {
		t.Fatal(err)
	}
	want := &Transcript{File: "sell.chat", Title: "卖黄桃", Steps: []Step{
		{Line: 2, Kind: Join, Person: "农民", Channel: WeChat},
		{Line: 3, Kind: Say, Person: "农民", Text: "黄桃5000斤,3块5一斤"},
		{Line: 4, Kind: Expect, Person: "小农", Text: "登记好了* 黄桃 5000斤* 3.5元/斤*"},
		{Line: 5, Kind: Expect, Person: "小农", Text: "产地是哪个乡镇?", Contains: true},
		{Line: 6, Kind: Say, Person: "农民", Text: "中村"},
		{Line: 7, Kind: Event, Person: "农民", Event: Follow, Arg: "station-430225-01"},
		{Line: 8, Kind: Advance, By: 72 * time.Hour, Text: "3 天后"},
		{Line: 9, Kind: Join, Person: "经纪人", Channel: SMS},
		{Line: 10, Kind: Say, Person: "经纪人", Text: "求购黄桃[强]"},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParseLines(t *testing.T) {
	for _, c := range []struct {
		name, line string
		want       Step
	}{
		{"minutes", "! 40 分钟后", Step{Kind: Advance, By: 40 * time.Minute, Text: "40 分钟后"}},
		{"hours, no blanks", "!2小时后", Step{Kind: Advance, By: 2 * time.Hour, Text: "2小时后"}},
		{"full-width marks", "甲＞ 你好", Step{Kind: Say, Person: "甲", Text: "你好"}},
		{"smiley is text", "甲> [玫瑰]", Step{Kind: Say, Person: "甲", Text: "[玫瑰]"}},
		{"event without argument", "甲> [取关]", Step{Kind: Event, Person: "甲", Event: Unfollow}},
		{"voice", "甲> [语音 我有 三千斤桃子]", Step{Kind: Event, Person: "甲", Event: Voice, Arg: "我有 三千斤桃子"}},
		{"text with marks in it", "甲> 5>3吗<", Step{Kind: Say, Person: "甲", Text: "5>3吗<"}},
		{"another bot's name", "农讯< 好", Step{Kind: Expect, Person: "农讯", Text: "好"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Parse("x.chat", strings.NewReader("@ 甲 微信\n甲> 在吗\n"+c.line))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got.Steps[2], cmpopts.IgnoreFields(Step{}, "Line")); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParseErrorsNameTheLine(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nonsense", "# 标题: x\n你好", "x.chat:2: 看不懂"},
		{"unknown person", "农民> 你好", "x.chat:1: \"农民\" 还没有出场"},
		{"unknown channel", "@ 农民 电报", "没有 \"电报\" 这个渠道"},
		{"answer before a word", "@ 农民 微信\n小农< 你好", "x.chat:2: 还没有人说话"},
		{"a person cannot be the bot", "@ 农民 微信\n农民> 在\n农民< 你好", "x.chat:3: 农民 是出场的人"},
		{"nothing said", "@ 农民 微信\n农民>", "x.chat:2: 农民 什么也没说"},
		{"nothing expected", "@ 农民 微信\n农民> 在\n小农<?  ", "x.chat:3: 没有写要等的回答"},
		{"clock", "! 下周", "x.chat:1: 要写成"},
		{"clock backwards", "! -3 天后", "x.chat:1: \"-3\""},
		{"clock too far", "! 99999 天后", "x.chat:1: \"99999\""},
		{"not text", "\xff\xfe", "x.chat:1: 不是 UTF-8"},
		{"name", "农 民> 你好", "x.chat:1: \"农 民\" 不能作名字"},
		{"endless line", "# " + strings.Repeat("长", maxLine), "x.chat:1: bufio.Scanner: token too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("x.chat", strings.NewReader(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestMatch(t *testing.T) {
	read := "登记好了:供应 黄桃 5000斤,3.5元/斤,炎陵县中村乡。\n对的回1,改价回2"
	for _, c := range []struct {
		pattern, answer string
		contains, want  bool
	}{
		{"登记好了* 黄桃 5000斤* 3.5元/斤*", read, false, true}, // the contract's own pattern: the blank beside * does not count
		{"登记好了*", read, false, true},
		{"登记好了", read, false, false},
		{"登记好了", read, true, true},
		{"*回2", read, false, true},
		{"*回1", read, false, false},
		{"*中村乡。 对的*", read, false, true}, // a line break is white space
		{"你好,请讲", "你好，请讲", false, false}, // punctuation is literal
		{"你好？", "你好?", true, false},
		{" 好的 ", "\n好的　", false, true},
		{"*", "", false, true},
		{"**", "任何", false, true},
		{"好*好", "好", false, false},
		{"a*b*a", "aba", false, true},
		{"a*b*a", "ab", false, false},
		{"*元*", "3.5元/斤", false, true},
	} {
		if got := Match(c.pattern, c.answer, c.contains); got != c.want {
			t.Errorf("Match(%q, %q, %v) = %v", c.pattern, c.answer, c.contains, got)
		}
	}
}

// A pattern made from an answer by replacing pieces with * matches that answer.
func TestMatchHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.StringMatching(`[a-c黄桃,，。 ]{0,4}`), 1, 8).Draw(t, "pieces")
		pattern := make([]string, len(pieces))
		for i, p := range pieces {
			pattern[i] = p
			if rapid.Bool().Draw(t, "wild") {
				pattern[i] = "*"
			}
		}
		answer := strings.Join(pieces, "")
		if !Match(strings.Join(pattern, ""), answer, false) {
			t.Fatalf("%q does not match %q", pattern, answer)
		}
		if !Match(answer, "前"+answer+"后", true) {
			t.Fatalf("%q is not found in itself", answer)
		}
	})
}

func TestWithoutSign(t *testing.T) {
	for in, want := range map[string]string{"【示例县商务局】登记好了": "登记好了", "登记【好】了": "登记【好】了", "【没有完": "【没有完", "": ""} {
		if got := WithoutSign(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// scripted is a driver that answers from a table; the answers are the service's, so it is the other side, not a mock of ours.
type scripted struct {
	answers map[string][]string
	said    []string
}

func (s *scripted) Join(_ context.Context, person string, channel Channel) error {
	s.said = append(s.said, "join "+person+" "+string(channel))
	return nil
}

func (s *scripted) Say(_ context.Context, person, text string) ([]string, error) {
	s.said = append(s.said, person+" "+text)
	if text == "断网" {
		return nil, errors.New("连不上")
	}
	return s.answers[text], nil
}

func (s *scripted) Event(ctx context.Context, person, kind, arg string) ([]string, error) {
	return s.Say(ctx, person, kind+"/"+arg)
}

func (s *scripted) Advance(_ context.Context, d time.Duration) ([]string, error) {
	s.said = append(s.said, d.String())
	return s.answers[d.String()], nil
}

func play(t *testing.T, d Driver, text string) Result {
	t.Helper()
	tr, err := Parse("t.chat", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return Play(t.Context(), tr, d)
}

func TestPlay(t *testing.T) {
	d := &scripted{answers: map[string][]string{
		"黄桃":      {"登记好了:黄桃\n产地是哪个乡镇?"},
		"两句":      {"第一句", "第二句"},
		"求购":      {"【示例县商务局】收到求购"},
		"关注/s-1":  {"欢迎"},
		"24h0m0s": {"【示例县商务局】今天行情"},
	}}
	r := play(t, d, `# 标题: 全部
@ 农民 微信
农民> 黄桃
小农< 登记好了*
小农<? 产地
农民> 两句
小农< 第一句
小农< 第二句
农民> [关注 s-1]
小农< 欢迎
农民> 随便说说
@ 经纪人 短信
经纪人> 求购
小农< 收到求购
! 1 天后
小农< 今天行情
`)
	if !r.OK() {
		t.Errorf("not ok:\n%s", r)
	}
	want := []string{"join 农民 微信", "农民 黄桃", "农民 两句", "农民 关注/s-1", "农民 随便说说", "join 经纪人 短信", "经纪人 求购", "24h0m0s"}
	if d := cmp.Diff(want, d.said); d != "" {
		t.Error(d)
	}
}

func TestPlayShowsWhatIsWrong(t *testing.T) {
	d := &scripted{answers: map[string][]string{"两句": {"第一句", "第二句"}}}
	r := play(t, d, "@ 农民 微信\n农民> 两句\n小农< 第二句\n小农< 第一句\n农民> 静\n小农<? 有\n")
	want := `# t (t.chat)
@ 农民 微信
农民> 两句
小农< 第一句
小农< 第二句
  ✗ t.chat:4: 回答不对
    - 应有 < 第一句
    + 收到 < 第一句
    + 收到 < 第二句
农民> 静
  ✗ t.chat:6: 回答不对
    - 应有 <? 有
    + 收到 (没有回答)
`
	if d := cmp.Diff(want, r.String()); d != "" {
		t.Error(d)
	}
	if r.OK() || len(r.Misses) != 2 || r.Err != nil {
		t.Errorf("misses %v, err %v", r.Misses, r.Err)
	}
}

func TestPlayStopsWhenTheDriverFails(t *testing.T) {
	d := &scripted{}
	r := play(t, d, "@ 农民 微信\n农民> 断网\n小农< *\n农民> 还在吗\n")
	if r.Err == nil || r.OK() || !strings.Contains(r.String(), "t.chat:2: 连不上") {
		t.Errorf("err %v\n%s", r.Err, r)
	}
	if len(d.said) != 2 {
		t.Errorf("went on: %q", d.said)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(contractSample)
	f.Add("@ 甲 短信\n甲> [语音 一二]\n小农<? *\n! 1 秒后\n")
	f.Add("<>\n@ > 微信\n＜＞！＠＃")
	f.Fuzz(func(t *testing.T, text string) {
		tr, err := Parse("f.chat", strings.NewReader(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f.chat:") {
				t.Fatalf("error without a line: %v", err)
			}
			return
		}
		joined, spoken := map[string]bool{}, false
		for _, s := range tr.Steps {
			switch s.Kind {
			case Join:
				joined[s.Person] = true
			case Say, Event:
				spoken = true
				if !joined[s.Person] || s.Text+s.Event == "" {
					t.Fatalf("bad step %+v", s)
				}
			case Advance:
				spoken = true
				if s.By <= 0 {
					t.Fatalf("clock stands still: %+v", s)
				}
			case Expect:
				if !spoken || s.Text == "" {
					t.Fatalf("answer to nobody: %+v", s)
				}
				Match(s.Text, text, s.Contains)
			}
		}
	})
}

func (s *scripted) Phone(person string) string { return "1380000000" + person }

func TestPlayFillsInPhonesAndCodes(t *testing.T) {
	d := &scripted{answers: map[string][]string{"绑定13800000001": {"请发短信:绑定048392,10分钟内有效。电话073112345678"}}}
	r := play(t, d, "@ 1 微信\n1> 绑定{手机}\n小农<? 绑定048392\n1> 绑定 {数字}\n")
	if want := []string{"join 1 微信", "1 绑定13800000001", "1 绑定 048392"}; !r.OK() || cmp.Diff(want, d.said) != "" {
		t.Errorf("%v\n%s", d.said, r)
	}
}
