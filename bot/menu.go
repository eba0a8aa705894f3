package bot

import (
	"context"
	"errors"
	"fmt"

	"github.com/silenceper/wechat/v2/officialaccount/menu"
	"github.com/silenceper/wechat/v2/util"
)

// Menu is what stands below the chat: at most 3 buttons, each with at most 5 of its own. Phones show a change after some minutes.
type Menu struct{ Buttons []Button }

// Button is one of a menu. Type is "click" (Key comes back as EventKey), "view" (URL), or another of the platform's kinds; a button
// with Sub has none. Name is at most 16 bytes at the top and 60 below, Key 128, URL 1,024.
type Button struct {
	Name, Type, Key, URL string
	Sub                  []Button
}

// codeNoMenu says that the account has no menu.
const codeNoMenu = 46003

// SetMenu replaces the account's menu. What breaks the limits is Refused without a call.
func (c *Client) SetMenu(ctx context.Context, m Menu) error {
	if err := m.check(); err != nil {
		return &Error{Kind: Refused, Op: opSetMenu.path, Message: err.Error()}
	}
	in := struct {
		Button []*menu.Button `json:"button"`
	}{toButtons(m.Buttons)}
	var out struct{ util.CommonError }
	return c.call(ctx, opSetMenu, in, &out)
}

// GetMenu returns the account's menu, an empty one where there is none.
func (c *Client) GetMenu(ctx context.Context) (Menu, error) {
	var out menu.ResMenu
	err := c.call(ctx, opGetMenu, nil, &out)
	var e *Error
	if errors.As(err, &e) && e.Code == codeNoMenu {
		return Menu{}, nil
	}
	if err != nil {
		return Menu{}, err
	}
	top := make([]*menu.Button, len(out.Menu.Button))
	for i := range out.Menu.Button {
		top[i] = &out.Menu.Button[i]
	}
	return Menu{Buttons: fromButtons(top)}, nil
}

func toButtons(bs []Button) []*menu.Button {
	var out []*menu.Button
	for _, b := range bs {
		out = append(out, &menu.Button{Name: b.Name, Type: b.Type, Key: b.Key, URL: b.URL, SubButtons: toButtons(b.Sub)})
	}
	return out
}

func fromButtons(bs []*menu.Button) []Button {
	var out []Button
	for _, b := range bs {
		out = append(out, Button{Name: b.Name, Type: b.Type, Key: b.Key, URL: b.URL, Sub: fromButtons(b.SubButtons)})
	}
	return out
}

func (m Menu) check() error {
	if len(m.Buttons) == 0 || len(m.Buttons) > 3 {
		return fmt.Errorf("a menu has 1 to 3 buttons, not %d", len(m.Buttons))
	}
	for _, b := range m.Buttons {
		if err := b.check(16); err != nil {
			return err
		}
		if len(b.Sub) > 5 {
			return fmt.Errorf("button %q has more than 5 of its own", b.Name)
		}
		for _, s := range b.Sub {
			if err := s.check(60); err != nil {
				return err
			}
			if len(s.Sub) > 0 {
				return fmt.Errorf("button %q is nested too deep", s.Name)
			}
		}
	}
	return nil
}

func (b Button) check(maxName int) error {
	switch {
	case b.Name == "" || len(b.Name) > maxName:
		return fmt.Errorf("button name %q: want 1 to %d bytes", b.Name, maxName)
	case len(b.Key) > 128 || len(b.URL) > 1024:
		return fmt.Errorf("button %q: key or URL too long", b.Name)
	case b.Type == "" && len(b.Sub) == 0:
		return fmt.Errorf("button %q does nothing", b.Name)
	case b.Type == "click" && b.Key == "" || b.Type == "view" && b.URL == "":
		return fmt.Errorf("button %q lacks its key or URL", b.Name)
	}
	return nil
}
