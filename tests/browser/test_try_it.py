"""The form of the page: it classifies what it shows, and shows what the server says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import NO_PREDICTION, OpenPage
from tests.browser.served_models import QUOTED, measured_wine
from tests.support.models import WineModel, publish_to_folder
from tests.support.waiting import wait_until

REJECTED = "status of 422"  # the browser's own line in the console
UNAVAILABLE = "status of 503"


def field(page: Any, name: str) -> Any:
    """Return the field of a feature."""
    return page.locator(".field", has=page.get_by_text(name, exact=True))


def body(request: Any) -> Any:
    """Return the JSON body of a request."""
    return json.loads(request.post_data)


def change(page: Any, act: Any) -> Any:
    """Do something, and return the classification that it causes."""
    with page.expect_response(lambda response: response.url.endswith("/classify")) as caught:
        act()
    return caught.value


def test_it_starts_with_an_example(open_page: OpenPage, wine_url: str) -> None:
    """Its class and every class's probability are shown."""
    page = open_page(wine_url)
    expect(page).to_have_title("wine: classifier")
    expect(page.locator("#bars li")).to_have_count(3)
    shares = [float(text.split()[0]) for text in page.locator("#bars .value").all_inner_texts()]
    assert abs(sum(shares) - 100) < 0.2
    top = page.locator("#bars li.top .label").inner_text()
    expect(page.locator("#prediction")).to_have_text(top)
    expect(page.locator("#spoken")).to_contain_text(top)


def test_each_change_is_classified(open_page: OpenPage, wine_url: str, trained: WineModel) -> None:
    """With the label and the probabilities of scikit-learn."""
    page = open_page(wine_url)
    sample = trained.dataset.X[100]
    for name, value in zip(trained.dataset.feature_names, sample, strict=True):
        page.get_by_label(name, exact=True).fill(str(value))
    [label] = trained.estimator.predict([sample])
    [shares] = trained.estimator.predict_proba([sample])
    expect(page.locator("#prediction")).to_have_text(str(label))
    expect(page.locator("#bars .value")).to_have_text([f"{100 * p:.1f} %" for p in shares])


def test_slider_and_number_move_together(open_page: OpenPage, wine_url: str) -> None:
    """By the keyboard too."""
    page = open_page(wine_url)
    slider = page.get_by_label("alcohol: slider")
    number = page.get_by_label("alcohol", exact=True)
    number.fill("12.5")
    assert abs(float(slider.input_value()) - 12.5) <= float(slider.get_attribute("step"))
    slider.focus()
    response = change(page, lambda: page.keyboard.press("Home"))
    assert body(response.request)["data"]["alcohol"] == float(number.input_value()) < 12
    expect(slider).to_be_focused()


def test_an_unknown_value_is_left_out(open_page: OpenPage, wine_url: str) -> None:
    """The others are sent."""
    page = open_page(wine_url)
    unknown = page.get_by_label("proline: unknown")
    response = change(page, unknown.check)
    assert "proline" not in body(response.request)["data"]
    assert len(body(response.request)["data"]) == 12
    expect(page.get_by_label("proline", exact=True)).to_be_disabled()
    response = change(page, unknown.uncheck)
    assert "proline" in body(response.request)["data"]


def test_the_last_answer_wins(open_page: OpenPage, wine_url: str) -> None:
    """A slow answer to an older change is not shown."""
    page = open_page(wine_url)
    held: list[Any] = []

    def hold_first(route: Any) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/classify", hold_first)
    number = page.get_by_label("alcohol", exact=True)
    with page.expect_request("**/classify"):
        number.fill("11.5")
    response = change(page, lambda: number.fill("14"))
    shown = response.json()["prediction"]
    expect(page.locator("#prediction")).to_have_text(shown)
    held[0].fulfill(json={"prediction": "stale", "probabilities": {"0": 1, "1": 0, "2": 0}})
    expect(page.locator("#result")).not_to_have_class(re.compile("waiting"))
    expect(page.locator("#prediction")).to_have_text(shown)


def test_quick_changes_are_one_request(open_page: OpenPage, wine_url: str) -> None:
    """They are sent when the typing stops."""
    page = open_page(wine_url)
    requests: list[Any] = []
    page.on("request", lambda request: requests.append(request))
    response = change(
        page, lambda: page.get_by_label("proline", exact=True).press_sequentially("12345")
    )
    assert str(body(response.request)["data"]["proline"]).endswith("12345")
    assert len(requests) == 1


def test_a_value_outside_the_training_range_is_marked(open_page: OpenPage, wine_url: str) -> None:
    """At its field, and with the result."""
    page = open_page(wine_url)
    alcohol = field(page, "alcohol")
    change(page, lambda: page.get_by_label("alcohol", exact=True).fill("0.1"))
    expect(alcohol).to_have_class(re.compile("outside"))
    expect(alcohol.locator(".message")).to_contain_text("Outside the training range")
    expect(page.locator("#note")).to_contain_text("alcohol")


def test_every_kind_of_column_has_its_control(open_page: OpenPage, table_url: str) -> None:
    """Numbers, a checkbox, choices and text; an unheard-of category is marked."""
    page = open_page(table_url)
    expect(page.locator("#bars li")).to_have_count(2)
    response = change(page, lambda: page.get_by_label("member", exact=True).click())
    assert isinstance(body(response.request)["data"]["member"], bool)
    page.get_by_label("age", exact=True).fill("70")
    page.get_by_label("note", exact=True).fill("asks for wine")
    response = change(page, lambda: page.get_by_label("size", exact=True).select_option("l"))
    sent = body(response.request)["data"]
    assert (sent["size"], sent["age"], sent["note"]) == ("l", 70, "asks for wine")
    colour, marked = page.get_by_label("colour, or hue", exact=True), field(page, "colour, or hue")
    response = change(page, lambda: colour.fill(QUOTED))
    assert body(response.request)["data"]["colour, or hue"] == QUOTED
    expect(marked).not_to_have_class(re.compile("outside"))
    change(page, lambda: colour.fill("mauve"))
    expect(marked).to_have_class(re.compile("outside"))
    expect(marked.locator(".message")).to_have_text("Not in the training data")
    expect(page.locator("#note")).to_contain_text("colour, or hue")


def test_problems_stand_at_their_fields(open_page: OpenPage, table_url: str) -> None:
    """And are gone when they are mended."""
    page = open_page(table_url, expected=REJECTED)
    change(page, lambda: page.get_by_label("age", exact=True).fill("20.5"))
    age = field(page, "age")
    expect(age).to_have_class(re.compile("invalid"))
    expect(age.locator(".message")).to_contain_text("whole number")
    expect(page.get_by_label("age", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#prediction")).to_have_text(NO_PREDICTION)
    change(page, lambda: page.get_by_label("age", exact=True).fill("20"))
    expect(age).not_to_have_class(re.compile("invalid"))
    expect(page.locator("#prediction")).to_have_text(re.compile("yes|no"))


def test_back_to_the_example(open_page: OpenPage, wine_url: str) -> None:
    """As the page began."""
    page = open_page(wine_url)
    number = page.get_by_label("alcohol", exact=True)
    example = number.input_value()
    change(page, lambda: number.fill("12"))
    response = change(page, page.get_by_role("button", name="Back to the example").click)
    assert body(response.request)["data"]["alcohol"] == float(example)
    expect(number).to_have_value(example)


def test_many_features_can_be_searched(open_page: OpenPage, wide_url: str) -> None:
    """Those that are not shown are sent as well."""
    page = open_page(wide_url)
    expect(page.locator(".field")).to_have_count(200)
    page.get_by_label("Find a feature").fill("sensor_19")
    expect(page.locator(".field:visible")).to_have_count(11)
    expect(page.get_by_text("11 of 200 features")).to_be_visible()
    response = change(page, lambda: page.get_by_label("sensor_199", exact=True).fill("1"))
    assert len(body(response.request)["data"]) == 200


def test_of_many_classes_the_most_probable_are_listed(
    open_page: OpenPage, classes_url: str
) -> None:
    """The others can be opened."""
    page = open_page(classes_url)
    expect(page.locator("#bars li")).to_have_count(10)
    top = page.locator("#bars .label").first
    expect(page.locator("#prediction")).to_have_text(top.inner_text())
    page.get_by_text("30 other classes").click()
    expect(page.locator("#more-bars li:visible")).to_have_count(30)


def test_without_a_model_it_says_why_and_recovers(
    open_page: OpenPage, empty_store: tuple[str, Path], trained: WineModel
) -> None:
    """As soon as one is published, by itself."""
    url, folder = empty_store
    page = open_page(url, expected=UNAVAILABLE, is_ready=False)
    expect(page.get_by_role("alert")).to_contain_text("No model could be loaded")
    expect(page.locator("#content")).to_be_hidden()
    publish_to_folder(trained.built, folder)
    expect(page.locator("#prediction")).to_have_text(re.compile("[012]"), timeout=20_000)
    expect(page.locator("#alert")).to_be_hidden()


def test_a_new_version_is_shown_without_a_reload(
    open_page: OpenPage, empty_store: tuple[str, Path], trained: WineModel
) -> None:
    """With the values that were typed, if its features are the same."""
    url, folder = empty_store
    registry = publish_to_folder(trained.built, folder)
    page = open_page(url)
    expect(page.locator("#subtitle")).to_contain_text(trained.built.version)
    number = page.get_by_label("alcohol", exact=True)
    change(page, lambda: number.fill("12.25"))
    other = measured_wine(trained, folds=3)  # other metrics make another version
    registry.publish(other.artifact)
    # The server tries an unsigned model in a process of its own, beside the requests.
    wait_until(
        lambda: page.request.get(f"{url}model").json()["version"] == other.version,
        "the new version is not served",
    )
    change(page, lambda: page.get_by_label("hue", exact=True).fill("1"))
    expect(page.locator("#subtitle")).to_contain_text(other.version)
    expect(number).to_have_value("12.25")
