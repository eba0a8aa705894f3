package tables

import (
	"fmt"
	"strings"
)

// maxProblems is how many are told; someone who sees that many has understood.
const maxProblems = 20

// Problem is one mistake in a file. Line counts from 1, 0 for the file as a whole; Column is "" where the row is meant.
type Problem struct {
	Line   int
	Column string
	What   string
}

func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "第%d行", p.Line)
	}
	if p.Column != "" {
		fmt.Fprintf(&b, "“%s”", p.Column)
	}
	if b.Len() > 0 {
		b.WriteString("：")
	}
	return b.String() + p.What
}

// Problems collects the mistakes of a file, so that they are all told at once. The zero value is ready.
type Problems struct {
	List []Problem // the first 20
	More int       // how many were found besides
}

// Add notes a mistake.
func (p *Problems) Add(line int, column, what string) {
	if len(p.List) >= maxProblems {
		p.More++
		return
	}
	p.List = append(p.List, Problem{line, column, what})
}

// Err is p where there are mistakes, else nil.
func (p *Problems) Err() error {
	if p == nil || len(p.List) == 0 {
		return nil
	}
	return p
}

// Error is one line for each mistake, such as 第3行“平均价”：不是数字.
func (p *Problems) Error() string {
	var b strings.Builder
	for i, one := range p.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(one.String())
	}
	if p.More > 0 {
		fmt.Fprintf(&b, "\n还有 %d 处", p.More)
	}
	return b.String()
}
