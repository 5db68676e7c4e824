"""The simulated models' answers in the session that the pictures show: by model, then by a part of the prompt."""

from __future__ import annotations

from typing import NamedTuple

COLD = "a small town by the sea"
MAP = "a map that nobody wants"
BOOKS = "14 books"
PALINDROME = "palindrome"
CLINIC = "new clinic for animals"
AGAIN = "what you would change or add"
"""Each of these constants is a part of one of llmtui's own prompts, by which the simulator finds the answer.

The last one is in every follow-up prompt.
"""


class Said(NamedTuple):
    """One answer, and the thinking before it."""

    text: str
    thought: str = ""


LLAMA = {
    COLD: Said(
        "She set the umbrella down on the wet stones and counted them once more. Seven boats yesterday, eight today, "
        "and the eighth had no name."
    ),
    MAP: Said(
        "For eleven years the map lay in the window of the shop, between a cracked compass and a box of buttons. It "
        "showed a valley with one road, one bridge and no village at all. People came in for stamps, laughed at it, "
        "and left.\n\nOne wet afternoon a girl asked what it cost. «Whatever you have,» said Aurelio, who was tired of "
        "dusting it. She had a pear. That evening she laid the map on the kitchen floor, and her grandmother stopped "
        "in the doorway with the lamp in her hand.\n\n«That is the bridge your grandfather built,» she said. «They "
        "told him it led nowhere.» In spring the two of them walked the one road to its end. There was a meadow, and "
        "in it the first stones of a house that somebody had meant to finish."
    ),
    BOOKS: Said(
        "**Step 1.** The shop starts with 14 books.\n**Step 2.** It sells 5, so we subtract: 14 − 5 = 9.\n\nThere are "
        "**9 books** left.\n\n### Three similar problems\n\n1. A baker makes 32 rolls and sells 19. How many remain?\n"
        "   32 − 19 = **13 rolls**.\n2. A library owns 120 maps and lends 47. How many stay on the shelf?\n   120 − 47 "
        "= **73 maps**.\n3. A farmer picks 58 apples, gives 12 to a neighbour and eats 3. How many are left?\n   58 − "
        "12 − 3 = **43 apples**.\n\nIn each of them something is taken away from a known number, so we subtract. To "
        "check, add the parts again: 9 + 5 = 14."
    ),
    PALINDROME: Said(
        'Here is a function that ignores case and spaces:\n\n```python\ndef is_palindrome(word: str) -> bool:\n    """'
        'Tell whether a word reads the same backwards."""\n    letters = [c.lower() for c in word if c.isalnum()]\n    '
        "return letters == letters[::-1]\n```\n\n**How it works.** The list keeps letters and digits only, in lower "
        "case. A slice with step −1 is the same list from its end; if the two are equal, the word is a "
        "palindrome.\n\n**Examples**\n\n- `is_palindrome('level')` gives `True`\n- `is_palindrome('Never odd or "
        "even')` gives `True`\n- `is_palindrome('python')` gives `False`\n\nIt reads each letter twice, so the time "
        "grows with the length of the word."
    ),
    CLINIC: Said(
        "A clinic for animals that is open day and night, the first of the region, began its work in a former fire "
        "station in the north of the city.\n\n- It has ten rooms, an operating theatre and a garden for dogs that "
        "stay overnight.\n- Two brothers paid for it together with 340 neighbours, who lent them money for five "
        "years.\n- The city sold the building cheaply; in return stray animals are treated free of charge.\n- The "
        "conversion took fourteen months, four more than planned, and on the first day 61 animals were "
        "treated.\n\nWhether a bus stop will be moved closer to the entrance is to be decided in spring."
    ),
    AGAIN: Said(
        "I would give the ending more room, since it now comes within two sentences. I would also name the place "
        "earlier, so that a reader knows where to look."
    ),
}
MISTRAL = {
    COLD: Said(
        "The eighth boat was green, like her umbrella, and tied with a knot that nobody in this harbour used. She "
        "knelt and touched the rope."
    ),
    MAP: Said(
        "Once there was a map that nobody wanted, because everything on it was wrong. Rivers ran uphill, the "
        "mountains had moved, and where the capital should have been there was a drawing of a sleeping fox.\n\nIt "
        "passed from a sailor to a priest, from the priest to a market stall, and at last to Ines, who was seven and "
        "collected mistakes. She hung it above her bed and learned it by heart.\n\nThe winter the snow closed the "
        "pass, the searchers came back without her brother. Ines looked at the map, at the fox curled up under the "
        "northern ridge, and said: «There is a hollow there. A warm one.» They found him in it, asleep. Since then "
        "the map hangs in the town hall, and every mistake on it has a name."
    ),
    BOOKS: Said(
        "To find how many books are left, subtract the sold ones from those the shop had at first.\n\n14 − 5 = 9\n\nSo "
        "**9 books are left**.\n\nThree problems of the same kind:\n\n1. *Pencils.* Ana has 20 pencils and gives 8 "
        "away. 20 − 8 = 12. She keeps 12 pencils.\n2. *Buses.* 46 people sit in a bus and 17 get off. 46 − 17 = 29. "
        "29 people travel on.\n3. *Water.* A tank holds 500 litres, of which 135 are used. 500 − 135 = 365. 365 litres "
        "remain.\n\nAll three ask what is left of a whole after a part of it is gone; the sum of both parts must give "
        "the whole again."
    ),
    PALINDROME: Said(
        '```python\ndef is_palindrome(word):\n    """Return True if the word is the same in both directions.\n\n    '
        'Case does not matter.\n    """\n    word = word.lower()\n    left, right = 0, len(word) - 1\n    while left < '
        "right:\n        if word[left] != word[right]:\n            return False\n        left += 1\n        right -= "
        "1\n    return True\n```\n\nTwo positions walk towards each other, one from each end. As soon as the letters "
        "there differ, the answer is known; where they meet, every pair was equal.\n\n```\nis_palindrome('radar')   "
        "# True\nis_palindrome('Anna')    # True\nis_palindrome('garden')  # False\n```"
    ),
    CLINIC: Said(
        "In the north of the city a clinic for animals has opened that works around the clock, which the region did "
        "not have before.\n\n* Ten rooms, an operating theatre and a garden stand in what was a fire station.\n* The "
        "owners, two brothers, were helped by 340 neighbours with small loans.\n* Stray animals are treated without "
        "charge, as the city demanded when it sold the house.\n* The opening day brought 61 patients, mostly cats, "
        "and waits of two hours.\n\nMore staff is planned before winter; parking and the bus stop remain open "
        "questions until spring."
    ),
    AGAIN: Said(
        "Next time I would begin with the girl and not with the map, because she is who we follow. And I would let one "
        "of the mistakes stay unexplained."
    ),
}
QWEN = {
    COLD: Said(
        "She folds the green umbrella, steps over the low wall and calls a soft hello.",
        "The story continues in the present tense. What would she do? She is curious.",
    ),
    MAP: Said(
        "The map was blank except for one word in the corner: *here*. Every owner gave it back. A blank map, they "
        "said, is a joke without an end.\n\nTomás kept it because the paper was good. He was a postman and wrote "
        "down, for himself, every door that was opened to him: the widow with the figs, the bakery at five, the blue "
        "gate with the kind dog. After twenty years",
        "A story about a map that nobody wants, about 200 words, happy ending. Perhaps the map is empty and somebody "
        "fills it. A postman would know every door. The ending: the whole town recognises itself.",
    ),
    BOOKS: Said(
        "14 − 5 = **9 books** are left.\n\n1. 25 eggs, 7 break: 25 − 7 = **18**.\n2. 60 seats, 42 taken: 60 − 42 = "
        "**18 free**.\n3. 9 km to walk, 4 done: 9 − 4 = **5 km**.\n\nEach takes a part away from a whole.",
        "Simple subtraction: 14 minus 5 is 9. Then three similar problems with solutions. Keep the steps visible.",
    ),
    PALINDROME: Said(
        '```python\ndef is_palindrome(word: str) -> bool:\n    """Check whether a word equals its mirror image.'
        '"""\n    word = word.casefold()\n    return word == word[::-1]\n```\n\nThe slice `[::-1]` gives the word '
        "from its end to its start. `casefold` makes capital letters equal to small ones.\n\n- `level` → True\n- "
        "`Otto` → True\n- `map` → False",
        "They want a docstring, an explanation and three examples with results. A slice is the shortest way; mention "
        "that case is ignored.",
    ),
    CLINIC: Said(
        "A round-the-clock clinic for animals, the first of its region, opened on Monday in a former fire "
        "station.\n\n- Ten rooms, an operating theatre, a garden for dogs\n- Two brothers and 340 neighbours paid for "
        "the conversion\n- Stray animals are treated free of charge\n- 61 animals came on the first day",
        "One sentence with the main idea, four bullets, one sentence about what is open: the parking and the bus "
        "stop. Facts: ten rooms, 340 neighbours, 61 animals.",
    ),
    AGAIN: Said(
        "I would show what the map looks like when it is full.",
        "Two sentences: what to change and why. The ending is a bit quick.",
    ),
}
