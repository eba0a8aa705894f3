package bot

import (
	"slices"
	"strings"
)

// Job is the end of a job that we gave to the platform.
type Job struct {
	Op     string // what was asked: "message/template/send", "message/mass/send", "freepublish/submit"
	ID     int64  // msgid of the send, or publish_id
	Status string // as it came: "success", "failed:user block", "send success", "err(30003)"; publish_status "0" … "6"
	OK     bool   // Status says that it worked
	// A mass send's counts of people: on the list; left after those were filtered out who do not follow, switched messages off or
	// had their four of this month; reached; not reached. Sent and Failed add up to Filtered.
	Total, Filtered, Sent, Failed int64
	// Articles are those of a mass send of articles, in order.
	Articles []JobArticle
}

// JobArticle is what became of one article of a mass send.
type JobArticle struct {
	Index     int64  // from 1
	URL       string // where it can be read
	Copyright Copyright
	Original  string // the article that it was found to repeat
}

// Copyright is what the platform's check for originality found.
type Copyright int64

// The findings (AuditState).
const (
	CopyrightUnchecked Copyright = iota
	CopyrightOriginal            // checked, nothing like it was found
	CopyrightReprint             // found to be a reprint
)

// Err is why a job failed, nil when it did not. Its Kind says what can be done for a single person (a template message) or for the
// message as a whole (a mass send).
func (j *Job) Err() error {
	if j.OK {
		return nil
	}
	e := &Error{Op: j.Op, Kind: Refused, Message: redact(j.Status)}
	status := strings.ToLower(strings.ReplaceAll(j.Status, " ", ""))
	switch {
	case strings.Contains(status, "userblock"): // TEMPLATESENDJOBFINISH "failed:user block"
		e.Kind = NextChannel
	case strings.Contains(status, "systemfailed"), strings.Contains(status, "freqlimit"):
		e.Kind = RetryLater
	case strings.HasPrefix(status, "err("): // MASSSENDJOBFINISH
		n, _, _ := strings.Cut(status[len("err("):], ")")
		if why := massFailures[n]; why != "" {
			e.Message += " " + why
		}
		if n == "30001" { // the check itself broke down
			e.Kind = RetryLater
		}
	}
	return e
}

// massFailures are the codes of a mass send that the platform did not carry out, in the words of its page 事件推送群发结果.
var massFailures = map[string]string{
	"10001": "涉嫌广告",
	"20001": "涉嫌政治",
	"20002": "涉嫌色情",
	"20004": "涉嫌社会",
	"20006": "涉嫌违法犯罪",
	"20008": "涉嫌欺诈",
	"20013": "涉嫌版权",
	"21000": "涉嫌其他",
	"22000": "涉嫌互推",
	"30001": "原创校验系统错误",
	"30002": "被判定为转载,且设置了转载不群发",
	"30003": "转载源不允许转载",
	"40001": "管理员拒绝了这次群发",
	"40002": "管理员在30分钟内没有确认",
}

func (m *Message) job(leaves []leaf) *Job {
	if m.Event == EventPublishFinished {
		status := m.first("PublishEventInfo/publish_status")
		return &Job{
			ID: number(m.first("PublishEventInfo/publish_id")), Status: status, OK: status == "0", Op: opPublish,
			Articles: publishedArticles(leaves),
		}
	}
	j := &Job{
		ID: number(m.either("MsgID", "MsgId")), Status: strings.TrimSpace(m.first("Status")), Op: opTemplate.path,
		Total: number(m.first("TotalCount")), Filtered: number(m.first("FilterCount")),
		Sent: number(m.first("SentCount")), Failed: number(m.first("ErrorCount")),
	}
	j.OK = j.Status == "success"
	if m.Event == EventMassFinished {
		// The page writes "send success", older captures "sendsuccess".
		j.OK = strings.EqualFold(strings.ReplaceAll(j.Status, " ", ""), "sendsuccess")
		j.Op = opMass.path
		j.Articles = massArticles(leaves)
	}
	return j
}

// opPublish names the job of PUBLISHJOBFINISH in errors.
const opPublish = "freepublish/submit"

// either is the value of the first of two fields that is there: the platform writes both spellings.
func (m *Message) either(a, b string) string {
	if v := m.first(a); v != "" {
		return v
	}
	return m.first(b)
}

// publishedArticles are those of PUBLISHJOBFINISH.
func publishedArticles(leaves []leaf) []JobArticle {
	var out []JobArticle
	for _, item := range items(leaves, "PublishEventInfo/article_detail/item/") {
		out = append(out, JobArticle{Index: number(item["idx"]), URL: item["article_url"]})
	}
	return out
}

// massArticles joins the two lists of MASSSENDJOBFINISH, addresses and findings, by the articles' numbers.
func massArticles(leaves []leaf) []JobArticle {
	var out []JobArticle
	at := func(index string) *JobArticle {
		n := number(index)
		i := slices.IndexFunc(out, func(a JobArticle) bool { return a.Index == n })
		if i < 0 {
			out, i = append(out, JobArticle{Index: n}), len(out)
		}
		return &out[i]
	}
	for _, item := range items(leaves, "ArticleUrlResult/ResultList/item/") {
		at(item["ArticleIdx"]).URL = item["ArticleUrl"]
	}
	for _, item := range items(leaves, "CopyrightCheckResult/ResultList/item/") {
		a := at(item["ArticleIdx"])
		a.Copyright, a.Original = Copyright(number(item["AuditState"])), item["OriginalArticleUrl"]
	}
	slices.SortFunc(out, func(a, b JobArticle) int { return int(a.Index - b.Index) })
	return out
}

// items gathers the leaves below a path that repeats, one map for each of the elements that hold them.
func items(leaves []leaf, path string) []map[string]string {
	var out []map[string]string
	last := -1
	for _, l := range leaves {
		name, ok := strings.CutPrefix(l.path, path)
		if !ok {
			continue
		}
		if l.parent != last {
			out, last = append(out, map[string]string{}), l.parent
		}
		out[len(out)-1][name] = l.value
	}
	return out
}
