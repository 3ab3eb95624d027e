// Sendtrail's web tag: tells the edge it was loaded from of visits and orders on a sender's own site.
// What it sends and keeps is written in docs/edge.md, "Web tag". Served without comments and indentation.
((d, l, n) => {
  const tag = d.currentScript, set = tag.dataset, edge = new URL("w", tag.src)
  // As long as a signed id is, so that a page's own parameter of this name is left alone.
  const id = l.search.match(/[?&]st=(A[\w-]{39,})/)?.[1]
  let late = [], earlier = self.sendtrail || [], bar

  const read = name => d.cookie.match(`(?:^|; )${name}=([\\w-]+)`)?.[1] || ""
  const write = (name, value, days) => d.cookie = `${name}=${value};path=/;samesite=lax;max-age=${86400*days}`
    + (set.domain ? ";domain=" + set.domain : "") + (l.protocol == "https:" ? ";secure" : "")
  const choice = () => read("st_ok")
  const may = () => choice() ? choice() == "yes" : !set.consent && !set.ask

  const keep = () => {
    if (!id || !may()) return
    // A browser that asks not to be tracked keeps no id, unless somebody has pressed Yes here.
    if (choice() || !n.globalPrivacyControl) write("st", id, set.days || 30)
    // The id says who came: it must not go on to whoever is sent this address.
    history.replaceState(history.state, "", l.href.replace(/([?&])st=A[\w-]{39,}&?/, "$1").replace(/[?&](#|$)/, "$1"))
  }
  const choose = what => {
    write("st_ok", what, 180)
    bar?.remove()
  }
  const send = hit => {
    if (!may()) return choice() || late.push(hit)
    const text = JSON.stringify({ site: set.site, st: id || read("st"), ...hit })
    n.sendBeacon?.(edge, text) || (new Image().src = edge + "?hit=" + encodeURIComponent(text))
  }
  const seen = page => ({ page: new URL(page || l.pathname, l), referrer: d.referrer })

  const api = self.sendtrail = {
    choice,
    allow() {
      choose("yes")
      keep()
      late.splice(0).forEach(send)
    },
    refuse() {
      choose("no")
      write("st", "", 0)
      late = []
    },
    visit: page => send(seen(page)),
    order: (order, amount, currency, more) => send({ ...seen(), order, amount, currency, ...more }),
    push: ([verb, ...values]) => api[verb](...values),
  }

  keep()
  if (set.order) api.order(set.order, +set.amount, set.currency, { articles: +(set.articles || 0) })
  else api.visit()
  earlier.forEach(api.push)

  if (set.ask && !choice()) {
    bar = d.createElement("section")
    bar.ariaLabel = set.site
    bar.style.cssText = "position:fixed;z-index:9;inset:auto 0 0;padding:16px;color:#111;background:#fff;border-top:1px solid;font:16px sans-serif"
    bar.innerHTML = `${set.ask} <button>${set.no||"No"}</button> <button>${set.yes||"Yes"}</button>`
    const [no, yes] = bar.querySelectorAll("button")
    no.style.padding = yes.style.padding = "9px"
    no.onclick = api.refuse
    yes.onclick = api.allow
    d.documentElement.append(bar)
  }
})(document, location, navigator)
