// The tabs pattern of the ARIA Authoring Practices: one tab is in the order of focus, arrow keys go to the others.

export class Tabs {
  /** `onSelect` is told the name of the tab that a person chose: its id without `tab-`. */
  constructor(list, onSelect) {
    this.tabs = [...list.querySelectorAll("[role=tab]")];
    this.onSelect = onSelect;
    this.selected = null;
    for (const tab of this.tabs) {
      tab.addEventListener("click", () => this.choose(tab));
    }
    list.addEventListener("keydown", (event) => this.pressed(event));
    this.show(this.tabs[0]);
  }

  /** Shows the tab of this name. */
  select(name) {
    this.show(this.tabs.find((tab) => nameOf(tab) === name));
  }

  choose(tab) {
    this.show(tab);
    this.onSelect(this.selected);
  }

  show(chosen) {
    this.selected = nameOf(chosen);
    for (const tab of this.tabs) {
      const isChosen = tab === chosen;
      tab.setAttribute("aria-selected", isChosen);
      tab.tabIndex = isChosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !isChosen;
    }
  }

  pressed(event) {
    const tabs = this.tabs.filter((tab) => !tab.hidden);
    const at = tabs.indexOf(document.activeElement);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined || at < 0 || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    event.preventDefault();
    const tab = tabs[(to + tabs.length) % tabs.length];
    tab.focus();
    this.choose(tab);
  }
}

const nameOf = (tab) => tab.id.replace("tab-", "");
