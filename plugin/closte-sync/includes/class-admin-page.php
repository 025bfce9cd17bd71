<?php
/**
 * The page in the network admin: who works, what needs a person, what is kept back, and the domains.
 *
 * It shows what was reported and asks nobody. Everything that it prints is escaped, as domains and
 * reasons come from outside, and all of it works without scripts.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The page, and its request to check.
 */
final class Admin_Page {

	const SLUG       = 'closte-sync';
	const PARENT     = 'wp-ultimo';
	const CAPABILITY = 'manage_network';
	const RECHECK    = 'closte_sync_recheck';

	/**
	 * More problems than these are folded.
	 */
	const MOST_OPEN = 5;

	/**
	 * Listen to WordPress.
	 */
	public static function listen() {
		add_action( 'network_admin_menu', array( self::class, 'add' ), 100 );
		add_action( 'admin_post_' . self::RECHECK, array( self::class, 'recheck' ) );
		add_action( 'admin_enqueue_scripts', array( self::class, 'add_style' ) );
		add_filter( 'removable_query_args', array( self::class, 'removable' ) );
		Decisions::listen();
	}

	/**
	 * Add the page below Ultimate Multisite's menu, or below the settings where that is not there.
	 */
	public static function add() {
		$page = add_submenu_page( self::parent_page(), 'closte-sync', 'closte-sync', self::CAPABILITY, self::SLUG, array( self::class, 'show' ) );
		add_action( "load-$page", array( Link_Forms::class, 'take' ) );
	}

	/**
	 * Add our style to our page.
	 *
	 * @param string $hook The page.
	 */
	public static function add_style( $hook ) {
		if ( '_page_' . self::SLUG === substr( (string) $hook, -strlen( '_page_' . self::SLUG ) ) ) {
			wp_enqueue_style( 'closte-sync', plugins_url( 'assets/admin.css', FILE ), array( 'dashicons' ), Plugin::version() );
		}
	}

	/**
	 * What was just done is no part of a link.
	 *
	 * @param string[] $names The names of such parameters.
	 * @return string[]
	 */
	public static function removable( $names ) {
		return array_merge( (array) $names, array( self::RECHECK, Decisions::ASK ) );
	}

	/**
	 * The domains that need a person, the earliest ones first.
	 *
	 * Protected names, which are never sent, are no matter of theirs.
	 *
	 * @return array[]
	 */
	public static function needing_a_person() {
		return array_filter(
			Engine::domains(),
			static function ( $domain ) {
				return ! empty( $domain['person'] ) && isset( $domain['domain'] ) && is_string( $domain['domain'] ) && ! self::is_protected( $domain );
			}
		);
	}

	/**
	 * Whether a domain is never sent to Closte.
	 *
	 * @param array $domain What is known about it.
	 * @return bool
	 */
	public static function is_protected( array $domain ) {
		return isset( $domain['alias'] ) && 'protected' === $domain['alias'];
	}

	/**
	 * Whether this request shows the page.
	 *
	 * @return bool
	 */
	public static function is_current() {
		// phpcs:ignore WordPress.Security.NonceVerification -- Only what is shown.
		return isset( $_GET['page'] ) && self::SLUG === $_GET['page'];
	}

	/**
	 * The link that has a domain checked.
	 *
	 * @param string $domain Its name.
	 * @return string An address, not escaped.
	 */
	public static function recheck_url( $domain ) {
		return Actions::url( self::RECHECK, array( 'domain' => $domain ) );
	}

	/**
	 * Have a domain checked.
	 */
	public static function recheck() {
		Actions::demand( self::RECHECK );
		$domain = isset( $_REQUEST['domain'] ) ? strtolower( sanitize_text_field( wp_unslash( $_REQUEST['domain'] ) ) ) : '';
		if ( ! Ultimate_Multisite::is_mapped( $domain ) ) {
			wp_die( esc_html__( 'This domain is not mapped.', 'closte-sync' ), '', array( 'response' => 404 ) );
		}
		self::back( self::RECHECK, Rechecks::add( $domain ) ? 'yes' : 'full' );
	}

	/**
	 * Go back to where a request came from, and end.
	 *
	 * @param string $name  Of the request.
	 * @param string $value Whether it was taken.
	 */
	public static function back( $name, $value ) {
		$back = wp_get_referer();
		$back = remove_query_arg( self::removable( array() ), $back ? $back : network_admin_url( 'admin.php?page=' . self::SLUG ) );
		wp_safe_redirect( add_query_arg( $name, $value, $back ) );
		exit;
	}

	/**
	 * The page.
	 */
	public static function show() {
		if ( ! current_user_can( self::CAPABILITY ) ) {
			return;
		}
		$report = Engine::report();
		echo '<div class="wrap closte-sync"><h1 class="wp-heading-inline">closte-sync</h1>';
		if ( null !== $report['panel'] ) {
			printf( ' <a class="page-title-action" href="%s" target="_blank" rel="noopener">%s</a>', esc_url( $report['panel'], array( 'http', 'https' ) ), esc_html__( 'Open the control panel', 'closte-sync' ) );
		}
		echo '<hr class="wp-header-end">';
		self::show_taken();
		Link_Forms::show_taken();
		Decisions::show_requests();
		self::show_alerts( array() === $report['notices'] ? $report['alerts'] : $report['notices'] );
		Decisions::show_standbys();
		self::show_engine( $report );
		Engine_Section::show();
		self::show_problems( $report['problems'] );
		Decisions::show_plan();
		Name_Form::show();
		self::show_domains();
		echo '</div>';
	}

	/**
	 * A notice that stays where it is.
	 *
	 * @param string   $kind  As WordPress names it.
	 * @param string   $text  Its first sentence.
	 * @param string[] $lines More lines.
	 */
	public static function show_notice( $kind, $text, array $lines = array() ) {
		printf( '<div class="notice notice-%s inline"><p><strong>%s</strong></p>', esc_attr( $kind ), esc_html( $text ) );
		foreach ( $lines as $line ) {
			printf( '<p>%s</p>', esc_html( $line ) );
		}
		echo '</div>';
	}

	/**
	 * Whether a request was taken.
	 */
	private static function show_taken() {
		$texts = array(
			self::RECHECK  => array(
				'yes'  => __( 'The domain is checked as soon as the engine receives this request.', 'closte-sync' ),
				'full' => __( 'Too many domains already wait for the engine.', 'closte-sync' ),
			),
			Decisions::ASK => array(
				'yes'  => __( 'The engine does this with its next pass.', 'closte-sync' ),
				'full' => __( 'This could not be stored: too many requests already wait for the engine, or the database refused it.', 'closte-sync' ),
			),
		);
		foreach ( $texts as $name => $by_value ) {
			// phpcs:ignore WordPress.Security.NonceVerification -- Only which of two sentences is shown.
			$value = isset( $_GET[ $name ] ) ? sanitize_key( $_GET[ $name ] ) : '';
			if ( isset( $by_value[ $value ] ) ) {
				self::show_notice( 'yes' === $value ? 'info' : 'error', $by_value[ $value ] );
			}
		}
	}

	/**
	 * What a person must do at once.
	 *
	 * @param array $alerts Each as its `what` and `hint`; from an older engine, sentences.
	 */
	private static function show_alerts( array $alerts ) {
		foreach ( $alerts as $alert ) {
			$hint = is_array( $alert ) && ! empty( $alert['hint'] ) ? array( $alert['hint'] ) : array();
			$text = is_array( $alert ) ? ( isset( $alert['what'] ) ? $alert['what'] : '' ) : $alert;
			self::show_notice( 'error', $text, $hint );
		}
	}

	/**
	 * How many domains are ready, and who works.
	 *
	 * @param array $report The last report.
	 */
	private static function show_engine( array $report ) {
		if ( null !== $report['ready'] && null !== $report['waiting'] ) {
			printf( '<p class="closte-sync-headline">%s</p>', esc_html( Words::headline( $report['ready'], $report['waiting'] ) ) );
		}
		$lines = array( Words::heard(), Words::mode() );
		if ( ! Engine::is_switched_on() ) {
			$lines[] = Words::not_on();
		}
		/* translators: 1: a version, 2: a version. */
		$lines[] = sprintf( __( 'Engine %1$s, plugin %2$s.', 'closte-sync' ), null === $report['engine'] ? '-' : $report['engine'], Plugin::version() );
		/* translators: %d: a number. */
		$lines[] = sprintf( __( 'Requests refused so far: %d.', 'closte-sync' ), Refusals::told()['count'] );
		echo '<ul class="closte-sync-facts">';
		foreach ( $lines as $line ) {
			printf( '<li>%s</li>', esc_html( $line ) );
		}
		echo '</ul>';
	}

	/**
	 * What is invalid; many of them are folded.
	 *
	 * @param string[] $problems The problems.
	 */
	private static function show_problems( array $problems ) {
		if ( array() === $problems ) {
			return;
		}
		/* translators: %s: a number. */
		$title = sprintf( _n( '%s problem', '%s problems', count( $problems ), 'closte-sync' ), number_format_i18n( count( $problems ) ) );
		printf( '<details%s><summary><strong>%s</strong></summary><ul class="ul-disc">', count( $problems ) > self::MOST_OPEN ? '' : ' open', esc_html( $title ) );
		foreach ( $problems as $problem ) {
			printf( '<li>%s</li>', esc_html( $problem ) );
		}
		echo '</ul></details>';
	}

	/**
	 * The table of domains.
	 */
	private static function show_domains() {
		$table = new Domain_Table( self::url() );
		$table->prepare_items();
		printf( '<h2>%s</h2>', esc_html__( 'Domains', 'closte-sync' ) );
		$table->views();
		Link_Forms::show();
		printf( '<form method="get"><input type="hidden" name="page" value="%s">', esc_attr( self::SLUG ) );
		// phpcs:ignore WordPress.Security.NonceVerification -- Only what is shown.
		$view = isset( $_GET['show'] ) ? sanitize_key( $_GET['show'] ) : '';
		if ( '' !== $view ) {
			printf( '<input type="hidden" name="show" value="%s">', esc_attr( $view ) );
		}
		$table->search_box( __( 'Search domains', 'closte-sync' ), 'closte-sync' );
		$table->display();
		echo '</form>';
	}

	/**
	 * The address of the page.
	 *
	 * @return string
	 */
	public static function url() {
		$file = 'settings.php' === self::parent_page() ? 'settings.php' : 'admin.php';
		return network_admin_url( "$file?page=" . self::SLUG );
	}

	/**
	 * The menu that the page is below.
	 *
	 * @return string
	 */
	private static function parent_page() {
		return empty( $GLOBALS['admin_page_hooks'][ self::PARENT ] ) ? 'settings.php' : self::PARENT;
	}
}
