/* What makes the report more comfortable. Nothing is lost without it. */
(function () {
	"use strict";

	function button(text, action) {
		var made = document.createElement("button");
		made.type = "button";
		made.textContent = text;
		made.addEventListener("click", action);
		return made;
	}

	function setOpen(section, open) {
		section.querySelectorAll("details").forEach(function (one) { one.open = open; });
	}

	function addFolding(section) {
		var tools = document.createElement("div");
		tools.className = "tools";
		tools.append(
			button("Open all", function () { setOpen(section, true); }),
			button("Close all", function () { setOpen(section, false); }));
		section.querySelector("h2").after(tools);
		return tools;
	}

	/* Rows and failures whose words hold all that was typed. */
	function addSearch(section, tools, entries) {
		var label = document.createElement("label"), input = document.createElement("input");
		var said = document.createElement("span"), waiting = 0;
		said.setAttribute("role", "status");
		input.type = "search";
		label.append("Find ", input);
		tools.append(label, said);
		function search() {
			var words = input.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
			entries.forEach(function (entry) {
				var text = entry.textContent.toLowerCase();
				entry.hidden = !words.every(function (word) { return text.includes(word); });
				shown += entry.hidden ? 0 : 1;
			});
			said.textContent = words.length ? shown + " found" : "";
		}
		input.addEventListener("input", function () {
			clearTimeout(waiting);
			waiting = setTimeout(search, 150);
		});
	}

	["failures", "tests"].forEach(function (id) {
		var section = document.getElementById(id);
		var entries = section ? section.querySelectorAll("details.case, tbody tr") : [];
		if (entries.length > 1)
			addSearch(section, addFolding(section), Array.from(entries));
	});
}());
