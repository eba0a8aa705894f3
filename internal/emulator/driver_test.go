package emulator

import (
	"strings"
	"testing"
	"time"

	"github.com/nongxun/nongxun/internal/transcript"
)

func TestDriverPlaysOverTheProtocols(t *testing.T) {
	c := newClock()
	var e *Emulator
	var farmer string
	s := newService(t, ModeSecure, func(kind, text string) string {
		if text == "等等" {
			// The service answers later, by the provider, as if its passive reply had come too late.
			time.AfterFunc(20*time.Millisecond, func() {
				if p, ok := e.phones.byOpenID(farmer); ok {
					e.Aliyun.o.Deliver(p.Phone, "【"+testSign+"】第一句")
					e.Aliyun.o.Deliver(p.Phone, "【"+testSign+"】第二句")
				}
			})
			return ""
		}
		return farmTalk(kind, text)
	})
	e = emulate(t, s, func(o *Options) {
		o.Now, o.Quiet, o.AnswerLimit, o.PushLimit = c.now, 30*time.Millisecond, 300*time.Millisecond, 300*time.Millisecond
	})
	e.WeChat.setMenu([]Button{{Name: "查行情", Type: "click", Key: "price"}})
	play := func(d transcript.Driver, text string) transcript.Result {
		t.Helper()
		tr, err := transcript.Parse("d.chat", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return transcript.Play(t.Context(), tr, d)
	}
	d := e.Driver(func(by time.Duration) {
		c.advance(by)
		if p, ok := e.phones.person(func(p Person) bool { return p.Name == "经纪人" }); ok {
			e.Aliyun.o.Deliver(p.Phone, "【"+testSign+"】今天行情")
		}
	})
	r := play(d, `# 标题: 一路
@ 农民 微信
农民> 黄桃5000斤,3块5一斤
小农< 登记好了* 5000斤*
小农<? 炎陵县
农民> [关注 station-430225-01]
小农< 欢迎关注*
农民> [扫码 station-430225-01]
小农< 您在站点 station-430225-01
农民> [菜单 查行情]
小农< 您点了 price
农民> [菜单 price]
小农< 您点了 price
农民> [位置 中村乡]
小农<? 中村乡
农民> [图片 一筐桃]
小农<? 照片收到了
农民> [语音 黄桃三千斤]
小农< 登记好了*
@ 经纪人 短信
经纪人> 求购黄桃
小农< 登记好了:供应 黄桃*
! 1 天后
小农< 今天行情
农民> [取关]
`)
	if !r.OK() {
		t.Errorf("not ok (%v):\n%s", r.Err, r)
	}
	p, _ := e.phones.person(func(p Person) bool { return p.Name == "农民" })
	if p.OpenID == "" || e.WeChat.Follows(p.OpenID) {
		t.Error("the farmer still follows")
	}
	other := e.Driver(nil)
	if r := play(other, "@ 农民 微信\n农民> 你好\n小农< 收到:你好\n"); !r.OK() {
		t.Errorf("%v\n%s", r.Err, r)
	}
	p2, _ := e.phones.person(func(q Person) bool { return q.Name == "农民" && q.ID != p.ID })
	if p2.OpenID == p.OpenID || p2.Phone == p.Phone || len(p2.OpenID) != 28 || len(p2.Phone) != 11 {
		t.Errorf("%+v and %+v", p, p2)
	}
	farmer = p2.OpenID
	if got, err := other.Say(t.Context(), "农民", "等等"); err != nil || len(got) != 2 {
		t.Errorf("late answers: %q %v", got, err)
	}
	if r := play(d, "@ 农民 微信\n农民> [取关]\n农民> 还在吗\n"); r.Err == nil || !strings.Contains(r.Err.Error(), "要先关注") {
		t.Errorf("who left could write: %v", r.Err)
	}
}
